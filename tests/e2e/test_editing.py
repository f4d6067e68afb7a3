"""From an upload to its code, an edit of it, other neighbours, and back; and texts taken apart."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.test_inspecting import UPLOADS, upload


def test_an_upload_is_edited_and_the_edit_undone(app: str, page: Page) -> None:
    page.goto(f"{app}/inspect")
    upload(page, UPLOADS[0])
    rows = page.locator(".sp-row")
    expect(rows.first).to_be_visible(timeout=120_000)
    after = page.locator("#nearest .sp-beforeafter > div")
    expect(after).to_have_count(0)

    slider = page.locator("input[type=range][data-edit]").first
    latent = slider.get_attribute("data-edit")
    slider.focus()
    slider.press("Home")  # all the way down: removed
    page.wait_for_url(f"**edit={latent}:0*")
    expect(page.locator(".sp-edited")).to_contain_text(f"#{latent}")
    expect(after).to_have_count(2)
    before_ids, after_ids = (
        [tile.get_attribute("href") for tile in after.nth(side).locator(".sp-tile").all()] for side in (0, 1)
    )
    assert len(before_ids) == len(after_ids) == 12
    assert before_ids != after_ids

    page.go_back()
    expect(page.locator(".sp-edited")).to_have_count(0)
    expect(after).to_have_count(0)
    expect(page.locator(".sp-picture figcaption")).to_have_text(UPLOADS[0].name)
    assert "edit=" not in page.url


def test_texts_are_taken_apart(app: str, page: Page) -> None:
    page.goto(f"{app}/inspect?image=120")
    box = page.get_by_role("textbox", name=re.compile("texts", re.IGNORECASE)).first
    expect(box).to_be_visible()
    box.fill("an octopus\na red car")
    page.get_by_role("button", name="score", exact=True).click()
    page.wait_for_url("**prompts=*")
    expect(page.get_by_text("a red car").first).to_be_visible()
    expect(page.locator(".st-key-scores .js-plotly-plot .main-svg").first).to_be_visible()
    expect(page.locator(".st-key-scores")).to_contain_text("“an octopus” scores")
