"""Compare opened cold, and a picture found among the points of a plane."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from sae_core import LatentStore


def test_a_comparison_opened_cold(app: str, store: LatentStore, page: Page) -> None:
    page.goto(f"{app}/compare?a=image:3&b=image:17")
    expect(page.locator(".sp-lead", has_text="cosine")).to_be_visible()
    for plot in ("cosine-parts", "angles"):
        expect(page.locator(f".st-key-plot-{plot} .js-plotly-plot .main-svg").first).to_be_visible()
    cosine = float(store.embedding(3) @ store.embedding(17))
    expect(page.locator(".sp-lead b.sp-num")).to_have_text(f"{cosine:.3f}".replace("-", "−"))

    page.get_by_role("link", name="swap").click()
    page.wait_for_url("**/compare?a=image:17&b=image:3")
    expect(page.get_by_role("combobox", name="side A")).to_have_value("image:17")
    page.go_back()
    expect(page.get_by_role("combobox", name="side A")).to_have_value("image:3")
    page.get_by_role("link", name="its concept spans").first.click()
    page.wait_for_url("**/spans?of=image:3")


def test_a_point_shows_its_picture_and_opens_it(app: str, store: LatentStore, page: Page) -> None:
    first, second = store.latents.n_active.nlargest(2).index.tolist()
    page.goto(f"{app}/spans?of=image:120&n=20&axes={first},{second}")
    plot = page.locator('[class*="st-key-plot-pictures"] .js-plotly-plot')
    points = plot.locator(".scatterlayer .points path")
    expect(points.first).to_be_visible()
    plot.scroll_into_view_if_needed()
    box = points.last.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2 - 40, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    card = page.locator(".sp-pointcard")
    expect(card).to_be_visible()
    expect(card.locator("img")).to_have_attribute("src", re.compile(rf"^thumb/{store.version}/\d+$"))
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/inspect?image=*")
    expect(card).to_be_hidden()
