"""Plots saved from the browser: as PNG, as SVG, and their data."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal, cast
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from sae_core import LatentStore
from tests.e2e.conftest import settled
from tests.e2e.test_accessibility import luminance


def save(page: Page, kind: str, plot: str) -> Path:
    with page.expect_download() as download:
        page.locator(f".st-key-plot-{plot} [data-save={kind}]").click()
    return Path(download.value.path()).rename(Path(download.value.path()).with_name(download.value.suggested_filename))


def test_a_plot_is_saved_as_pictures_and_as_numbers(app: str, store: LatentStore, page: Page) -> None:
    latent = int(store.latents.n_active.idxmax())
    page.goto(f"{app}/latent?latent={latent}")
    expect(page.locator(".st-key-plot-activations .js-plotly-plot .main-svg").first).to_be_visible()

    svg = save(page, "svg", "activations")
    assert svg.name == f"activations-of-latent-{latent}.svg"
    assert "<svg" in svg.read_text()[:200]
    assert "activation (lines: deciles)" in svg.read_text()
    assert svg.read_text().count('@font-face { font-family: "Source Sans"') == 1, (
        "in another font its edges are cut off"
    )
    assert "data:font/woff2;base64," in svg.read_text()

    png = save(page, "png", "activations")
    assert png.name.endswith(".png")
    with Image.open(png) as picture:
        assert min(picture.size) > 200

    table = save(page, "csv", "activations")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert sum(int(row["pictures"]) for row in rows) == store.gallery_size(latent)
    assert float(rows[0]["activation_from"]) == 0


READ = '() => [...document.querySelectorAll("text")].map(text => getComputedStyle(text).fill)'
GROUND = '() => getComputedStyle(document.querySelector("svg > rect, svg > g > rect")).fill'


def test_a_saved_plot_can_be_read_in_the_theme_of_now(app: str, browser: Browser) -> None:
    """The page's style sheet does not reach into a file; a theme that changes meanwhile does not stay in it."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light").new_page()
    page.goto(f"{app}/inspect?image=3")
    expect(page.locator(".st-key-plot-waterfall .annotation-text").first).to_be_visible(timeout=120_000)
    settled(page)
    file, grounds = browser.new_page(), []
    for theme in ("light", "dark", "light"):
        page.emulate_media(color_scheme=cast(Literal["light", "dark"], theme))
        page.wait_for_timeout(1500)  # the plot is drawn anew
        file.set_content(save(page, "svg", "waterfall").read_text(encoding="utf-8"))
        grounds.append(ground := luminance(file.evaluate(GROUND)))
        for ink in file.evaluate(READ):
            low, high = sorted((ground, luminance(ink)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (theme, ink)
    assert grounds[0] == grounds[2] > 0.9
    assert grounds[1] < 0.1
    page.context.close()
    file.context.close()


def saved(page: Page, kind: str) -> Path:
    with page.expect_download() as download:
        page.locator(f"[data-figure={kind}]").click()
    return Path(download.value.path()).rename(Path(download.value.path()).with_name(download.value.suggested_filename))


def test_latents_are_saved_as_a_figure_in_the_pages_own_font(app: str, store: LatentStore, page: Page) -> None:
    common = store.latents.n_active.nlargest(3).index.tolist()
    page.goto(f"{app}/list?latents={','.join(map(str, common))}&title=Common+ones")
    settled(page)
    svg = saved(page, "svg")
    told = page.request.get(str(page.locator("[data-figure=svg]").evaluate("link => link.href"))).headers
    assert f"UTF-8''{quote(svg.name)}" in told["content-disposition"], "what a script gets from the server"
    assert svg.name == "Emoji-and-clip-art-Common-ones.svg"
    assert svg.read_text(encoding="utf-8").count("@font-face") == 1
    assert svg.read_text(encoding="utf-8").count("<image ") == 30

    file = page.context.new_page()
    file.goto(svg.as_uri())
    width = file.evaluate("() => document.documentElement.width.baseVal.value")
    too_wide = """() => [...document.querySelectorAll("text")].filter((text) => {
      const [box, column] = [text.getBoundingClientRect(), document.querySelector("image").getBoundingClientRect()];
      return box.right > document.documentElement.width.baseVal.value || (box.left < 20 && box.top > 60 &&
        box.right > column.left && text.getAttribute("font-size") !== "10");
    }).map((text) => text.textContent)"""
    assert file.evaluate(too_wide) == [], "words run into the pictures"
    file.close()

    png = saved(page, "png")
    with Image.open(png) as picture:
        assert (png.name, picture.width) == (f"{svg.stem}.png", 3 * width)
        column = picture.convert("L").crop((3 * 232, 3 * 80, 3 * 280, 3 * 130))
        assert column.getextrema()[0] < 128, "the pictures are drawn, too"


def test_a_figure_that_the_server_refuses_says_why(app: str, browser: Browser) -> None:
    page = browser.new_page()  # its console tells of the 503
    page.goto(f"{app}/list?latents=1,2")
    settled(page)
    page.route("**/export/figure.svg*", lambda route: route.fulfill(status=503, body="the store is gone\n"))
    page.locator("[data-figure=png]").click()
    expect(page.locator(".sp-tip")).to_have_text("the store is gone")
    page.context.close()


def test_buttons_are_named_for_readers_of_the_screen(app: str, page: Page) -> None:
    page.goto(f"{app}/quality")
    button = page.get_by_role("button", name="save “density of all latents” as CSV")
    expect(button).to_be_visible()


def test_on_paper_nothing_can_be_pressed(app: str, page: Page) -> None:
    page.goto(f"{app}/latent?latent=3")
    pressed = page.locator("header nav, .sp-search, main button:not([disabled])")
    expect(pressed.nth(4)).to_be_visible()
    settled(page)
    page.emulate_media(media="print")
    assert not [one for one in pressed.all() if one.is_visible()]
    expect(page.locator("h1")).to_be_visible()
    assert page.locator(".sp-tile").first.evaluate("tile => getComputedStyle(tile).breakInside") == "avoid"
