"""Plots saved from the browser: as PNG, as SVG, and their data."""

from __future__ import annotations

import csv
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from sae_core import LatentStore


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


def test_buttons_are_named_for_readers_of_the_screen(app: str, page: Page) -> None:
    page.goto(f"{app}/quality")
    button = page.get_by_role("button", name="save “density of all latents” as CSV")
    expect(button).to_be_visible()
