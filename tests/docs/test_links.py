"""Every link of the README and the docs leads somewhere, every picture is shown, every page can be reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sae_core.references import REPOSITORY_ROOT as ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def text_of(path: Path) -> str:
    """Without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def links(path: Path) -> list[tuple[Path, str]]:
    """Files and anchors, of links that stay in the repository."""
    found = [link for link in _LINK.findall(text_of(path)) if not link.startswith(("http://", "https://"))]
    parts = [link.partition("#") for link in found]
    return [((path.parent / file).resolve() if file else path, anchor) for file, _, anchor in parts]


def slugs(path: Path) -> set[str]:
    """Anchors as the usual renderers make them from headings."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for file, anchor in links(page):
        assert file.exists() and file.is_relative_to(ROOT), f"{page.name}: {file}"
        assert not anchor or anchor in slugs(file), f"{page.name}: {file.name}#{anchor}"


def test_every_picture_is_shown() -> None:
    shown = {file for page in PAGES for file, _ in links(page)}
    assert set((ROOT / "docs" / "images").iterdir()) <= shown


def test_every_page_can_be_reached() -> None:
    reached, left = {PAGES[0]}, [PAGES[0]]
    while left:
        new = {file for file, _ in links(left.pop()) if file.suffix == ".md"} - reached
        reached |= new
        left += new
    assert set(PAGES) <= reached


def test_a_wrong_anchor_is_seen() -> None:
    assert "many-visitors" in slugs(ROOT / "docs" / "robustness.md")
    assert "many-visitor" not in slugs(ROOT / "docs" / "robustness.md")
