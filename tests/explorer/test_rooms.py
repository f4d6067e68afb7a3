"""Streamlit stays in the rooms that draw, and pages stay thin."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.explorer.conftest import ROOT

MAY_IMPORT_STREAMLIT = {
    "main.py",
    "frame.py",
    "login.py",
    "grid.py",
    "models.py",
    "uploader.py",
    "note_editor.py",
    "note_import.py",
    "plots.py",
    "inspecting.py",
    "distributions.py",
    "latent_column.py",
    "spans.py",
    "geometry.py",
    "heads.py",
    "where.py",
    "waiting.py",
}
EXPLORER = sorted((ROOT / "explorer").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", EXPLORER, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_only_where_it_draws(path: Path) -> None:
    drawing = path.parent == ROOT / "explorer" and path.name in MAY_IMPORT_STREAMLIT
    assert drawing or "streamlit" not in imports(path)
    assert "pages" not in imports(path)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_only_compose(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 60
    assert imports(path) <= {"__future__", "streamlit", "explorer"}


def test_no_module_hides_the_standard_library() -> None:
    """Streamlit puts explorer/ on sys.path: a module named like a standard one would replace it."""
    names = {path.stem for path in (ROOT / "explorer").glob("*.py")} - {"__init__"}
    assert not names & set(sys.stdlib_module_names)
