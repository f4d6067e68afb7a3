"""The pictures of the docs, from the demonstration store: `python -m benchmarks.screenshots`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import tyro
from playwright.sync_api import Page, sync_playwright

from benchmarks.served import served
from sae_core.references import DEMO_ASSETS, REPOSITORY_ROOT

STORE = REPOSITORY_ROOT / "stores" / "demo"
OUT = REPOSITORY_ROOT / "docs" / "images"
SECTIONS = {
    "How few concepts explain this neighbourhood?": "neighbourhood.png",
    "Where do these pictures lie between their concepts?": "geometry.png",
}
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def main(out: Path = OUT, scheme: Literal["light", "dark"] = "light") -> None:
    """Writes a picture a page to a folder."""
    out.mkdir(parents=True, exist_ok=True)
    with served(STORE, read_only=False) as app, sync_playwright() as playwright:
        address = app.address
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme=scheme)
        shoot(page, f"{address}/", out / "home.png")
        shoot(page, f"{address}/latents", out / "latents.png")
        page.goto(f"{address}/latents?label=playing+cards&purity=0.75&sort=frequent")
        page.locator("a[href*='latent?latent=']").first.click()
        page.mouse.move(0, 0)  # no tooltip in the picture
        shoot(page, None, out / "latent.png")
        page.goto(f"{address}/inspect")
        page.set_input_files("input[type=file]", DEMO_ASSETS / "uploads" / "coffee.jpg")
        page.get_by_text("Sparse code").first.wait_for(timeout=60_000)
        shoot(page, None, out / "inspect.png")
        shoot(page, f"{address}/map", out / "map.png")
        shoot(page, f"{address}/compare?a=label:birds&b=label:mammals", out / "compare.png")
        shoot(page, f"{address}/spans?of=label:birds", out / "spans.png")
        for heading, name in SECTIONS.items():
            shoot_section(page, heading, out / name)
        shoot(page, f"{address}/quality", out / "quality.png")
        shoot_saved_figure(page, f"{address}/list?latents=1267,546,448,51&title=Four+latents", out / "figure.png")
        browser.close()


def shoot_saved_figure(page: Page, url: str, path: Path) -> None:
    """The file that the page saves, at the size of its words in a browser."""
    page.goto(url)
    with page.expect_download() as download:
        page.locator("[data-figure=svg]").click()
    page.set_content(Path(download.value.path()).read_text(encoding="utf-8"))
    page.locator("svg").screenshot(path=path)


def shoot_section(page: Page, heading: str, path: Path) -> None:
    """A section of the page that is open, from its heading on."""
    page.get_by_role("heading", name=heading).evaluate("heading => heading.scrollIntoView({block: 'start'})")
    page.mouse.move(0, 0)
    shoot(page, None, path)


def shoot(page: Page, url: str | None, path: Path) -> None:
    """Waits until every visible picture is there, then takes the window."""
    if url:
        page.goto(url)
    page.wait_for_selector("header, h1, [data-testid=stMain] h1", timeout=60_000)
    page.wait_for_timeout(2500)
    page.wait_for_function("[...document.images].every(i => i.loading === 'lazy' || i.naturalWidth > 0)")
    page.screenshot(path=path)


if __name__ == "__main__":
    tyro.cli(main)
