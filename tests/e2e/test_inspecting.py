"""Uploads, good and bad, and the headers that guard the page."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sae_core import LatentStore
from tests.e2e.conftest import ROOT
from tests.support.pictures import encoded, picture

UPLOADS = sorted((ROOT / "assets" / "demo" / "uploads").glob("*.jpg"))


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    if UPLOADS:
        return UPLOADS[0]
    path = tmp_path / "photograph.jpg"
    path.write_bytes(encoded(picture(4, (320, 240))[1], "JPEG"))
    return path


def upload(page: Page, path: Path) -> None:
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(path)


PASTE = """([part, bytes, name]) => {
  const clipboard = new DataTransfer();
  clipboard.items.add(new File([Uint8Array.from(bytes)], name, { type: "image/jpeg" }));
  const said = { clipboardData: clipboard, bubbles: true, cancelable: true };
  document.querySelector(part).dispatchEvent(new ClipboardEvent("paste", said));
}"""


def test_a_picture_is_pasted_anywhere_but_into_a_field(app: str, page: Page, photograph: Path) -> None:
    page.goto(f"{app}/inspect")
    expect(page.locator("[data-testid=stFileUploader]")).to_be_visible()
    picture_of = [list(photograph.read_bytes()), photograph.name]
    page.evaluate(PASTE, [".sp-header input", *picture_of])
    page.evaluate(PASTE, ["body", picture_of[0], f"second-{photograph.name}"])
    expect(page.locator(".sp-row").first).to_be_visible(timeout=120_000)
    expect(page.locator(".sp-picture figcaption")).to_have_text(f"second-{photograph.name}")
    page.evaluate(PASTE, ["[data-testid=stFileUploader] button", picture_of[0], f"third-{photograph.name}"])
    expect(page.locator(".sp-picture figcaption")).to_have_text(f"third-{photograph.name}", timeout=60_000)


def test_an_upload_shows_its_code(app: str, store: LatentStore, page: Page, photograph: Path) -> None:
    page.goto(f"{app}/inspect")
    upload(page, photograph)
    expect(page.locator(".sp-row").first).to_be_visible(timeout=120_000)
    assert 1 <= page.locator(".sp-row").count() <= store.k
    expect(page.locator(".sp-picture img")).to_have_attribute("src", re.compile("^data:image/jpeg"))
    expect(page.locator(".sp-picture figcaption")).to_have_text(photograph.name)
    expect(page.locator(".sp-lead")).to_contain_text("cosine")
    assert page.locator(".sp-tile").count() == 12

    page.locator(".sp-row .sp-strip").first.click()
    expect(page.locator("h1 .sp-no")).to_be_visible()
    page.go_back()
    expect(page.locator(".sp-picture figcaption")).to_have_text(photograph.name)


def test_two_uploads_are_compared(app: str, page: Page, photograph: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.jpg"
    second.write_bytes(encoded(picture(5, (320, 240))[1], "JPEG"))
    page.goto(f"{app}/inspect")
    for path in (photograph, second):
        upload(page, path)
        expect(page.locator(".sp-picture figcaption")).to_have_text(path.name, timeout=120_000)
    page.get_by_text(f"compare with {photograph.name}, your picture before").click()
    expect(page.locator(".sp-side h2")).to_have_text([f"A {photograph.name}", f"B {second.name}"], timeout=60_000)
    expect(page.locator(".sp-side img")).to_have_count(2)


def test_an_upload_replaces_the_store_picture(app: str, page: Page, photograph: Path) -> None:
    page.goto(f"{app}/inspect?image=3")
    expect(page.locator(".sp-row").first).to_be_visible()
    upload(page, photograph)
    expect(page.locator(".sp-picture figcaption")).to_have_text(photograph.name, timeout=120_000)
    assert "image=" not in page.url
    page.locator(".sp-tile").first.click()
    page.wait_for_url("**/inspect?image=*")
    expect(page.locator(".sp-picture figcaption")).not_to_have_text(photograph.name)


def test_what_is_no_picture_gets_one_sentence(app: str, page: Page, tmp_path: Path, photograph: Path) -> None:
    bad = tmp_path / "<img src=x onerror=alert(1)>.jpg"
    bad.write_bytes(b"this is no picture")
    page.goto(f"{app}/inspect")
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    upload(page, bad)
    expect(page.locator(".sp-refused[role=alert]")).to_contain_text("no picture", timeout=120_000)
    expect(page.locator(".sp-refused[role=alert]")).to_contain_text(bad.name)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    expect(page.locator("[data-testid=stFileChip]")).to_have_count(0)
    page.locator(".sp-tile").first.click()
    expect(page.locator(".sp-row").first).to_be_visible(timeout=120_000)
    expect(page.locator(".sp-refused[role=alert]")).to_have_count(0)
    upload(page, bad)
    expect(page.locator(".sp-refused[role=alert]")).to_contain_text(bad.name)
    upload(page, photograph)
    expect(page.locator(".sp-picture figcaption")).to_have_text(photograph.name, timeout=120_000)
    expect(page.locator(".sp-refused[role=alert]")).to_have_count(0)


def test_the_page_is_guarded(app: str) -> None:
    with urllib.request.urlopen(f"{app}/latents") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self' blob: 'sha256-" in policy
        assert "'unsafe-eval'" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    foreign = urllib.request.Request(f"{app}/", headers={"Host": "rebound.example.com"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(foreign)
    assert refused.value.code == 400


def test_thumbnails_are_cacheable_for_ever(app: str, store: LatentStore) -> None:
    address = f"{app}/thumb/{store.version}/0"
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == store.thumbnail(0).data
        assert answer.headers["Content-Type"] == store.thumbnail(0).media_type
        assert "immutable" in answer.headers["Cache-Control"]
        etag = answer.headers["ETag"]
    again = urllib.request.Request(address, headers={"If-None-Match": etag})
    with pytest.raises(urllib.error.HTTPError) as unchanged:
        urllib.request.urlopen(again)
    assert unchanged.value.code == 304
    for wrong in (f"thumb/{store.version}/{store.n_images}", "thumb/0000/0", f"thumb/{store.version}/-1"):
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"{app}/{wrong}")
        assert missing.value.code == 404, wrong
