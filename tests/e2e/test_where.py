"""A heat map as a person makes one: chosen, watched, cancelled, changed, saved."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from sae_core import LatentStore

SLOW = 180_000  # an occlusion map is 171 encodings


def test_a_heat_map_is_chosen_cancelled_changed_and_saved(
    app: str, store: LatentStore, page: Page, tmp_path: Path
) -> None:
    latents = store.code(30).latents.tolist()
    page.goto(f"{app}/inspect?image=30")
    chips = page.locator(".st-key-where .sp-wherechips a")
    expect(chips).to_have_count(len(latents))

    chips.nth(0).click()
    expect(page.locator(".st-key-where-progress [role=progressbar]")).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="cancel").click()
    expect(page.locator(".st-key-where-progress")).to_have_count(0)
    assert "where=" not in page.url and "image=30" in page.url
    expect(page.locator(".sp-where")).to_have_count(0)

    page.go_back()  # undoes the cancelling
    plot = page.locator(".st-key-plot-where .js-plotly-plot")
    expect(plot).to_be_visible(timeout=SLOW)
    expect(page.locator(".sp-wherelatent .sp-no")).to_have_text(f"#{latents[0]}")

    chips.nth(1).click()  # known at once: the occluded pictures were encoded
    expect(page.locator(".sp-wherelatent .sp-no")).to_have_text(f"#{latents[1]}")
    assert f"where={latents[1]}" in page.url

    for kind in ("png", "svg", "csv"):
        with page.expect_download() as saved:
            page.locator(f".st-key-plot-where [data-save={kind}]").click()
        saved.value.save_as(tmp_path / saved.value.suggested_filename)
    name = f"where-latent-{latents[1]}-occlusion"
    with Image.open(tmp_path / f"{name}.png") as picture:
        assert len(set(picture.convert("RGB").resize((64, 64)).getdata())) > 20
    images = [element for element in ET.parse(tmp_path / f"{name}.svg").iter() if element.tag.endswith("}image")]
    assert len(images) == 2  # the picture and the map over it
    assert len((tmp_path / f"{name}.csv").read_text().splitlines()) == 1 + 14 * 14


def test_a_deep_link_opens_the_test_of_both_methods(app: str, store: LatentStore, page: Page) -> None:
    latent = int(store.code(31).latents[0])
    page.goto(f"{app}/inspect?image=31&where={latent}&method=gradients&deletion=1")
    expect(page.locator(".st-key-plot-deletion .js-plotly-plot")).to_be_visible(timeout=SLOW)
    expect(page.locator(".sp-methods [aria-current]")).to_have_text("integrated gradients")
    expect(page.locator(".st-key-where")).to_contain_text("random orders")
    page.get_by_role("link", name="hide the deletion test").click()
    expect(page.locator(".st-key-plot-deletion")).to_have_count(0)
    page.get_by_role("link", name="occlusion", exact=True).click()
    expect(page.locator(".sp-methods [aria-current]")).to_have_text("occlusion")
    assert not re.search("method=|deletion=", page.url)
