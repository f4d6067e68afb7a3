"""A store shared without pictures, in the browser of somebody who has them, all but one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from explorer.frame import SCRIPTS, STATIC
from sae_core import LatentStore
from tests.e2e.conftest import served
from tests.support.pictures import make_folder
from tests.support.stores import make_store


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    folder = make_folder(tmp_path / "pictures", 24)
    return make_store(tmp_path / "store", 24, n_latents=32, images=folder, thumbnails="none")


@pytest.fixture
def own(bare: Path, tmp_path: Path) -> Iterator[str]:
    notes = str(tmp_path / "notes.sqlite")
    images = str(tmp_path / "pictures")
    with served(tmp_path, SPARSIGHT_STORE=str(bare), SPARSIGHT_IMAGES=images, SPARSIGHT_NOTES=notes) as address:
        yield address


def test_a_missing_picture_leaves_its_caption(own: str, bare: Path, browser: Browser, tmp_path: Path) -> None:
    """Not with the fixture's page, which takes no 404 in its console."""
    store = LatentStore.open(bare)
    nearest = [int(i) for i in store.nearest_images(store.embedding(3), 6).ids if i != 3]
    gone = store.image(nearest[0])
    (tmp_path / "pictures" / gone.source_key).unlink()
    page = browser.new_page()
    page.goto(f"{own}/inspect?image=3")
    lost = page.locator(f"#nearest .sp-tile[href$='image={gone.image_id}']")
    lost.scroll_into_view_if_needed()
    expect(lost.locator(".sp-noimg")).to_have_text(gone.caption or gone.title or gone.label or gone.source_key)
    expect(lost.locator("img")).to_have_count(0)
    there = page.locator(f"#nearest .sp-tile[href$='image={nearest[1]}'] img")
    expect(there).to_be_visible()
    assert there.evaluate("picture => picture.complete && picture.naturalWidth > 0")
    page.close()


def test_a_picture_that_was_missing_before_the_script_came(own: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{own}/_stcore/health")
    page.set_content(
        '<img src="thumb/x/1" alt="its caption"><img src="thumb/x/2" loading="lazy" style="margin-top: 9999px">'
    )
    page.wait_for_function("document.images[0].complete")
    script = "\n".join((STATIC / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    page.evaluate(
        "async script => (await import(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})))).default()",
        script,
    )
    expect(page.locator(".sp-noimg")).to_have_text("its caption")
    expect(page.locator("img[loading=lazy]")).to_have_count(1)  # nobody has asked for it yet
    page.close()
