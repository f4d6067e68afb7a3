"""A store, notes, addresses and an upload whose texts are scripts, walked through in a browser: nothing runs."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from explorer.notes.book import NoteBook
from sae_core import LatentStore
from tests.e2e.conftest import served, settled
from tests.support.hostile import HOSTILE, make_hostile_store
from tests.support.pictures import encoded, picture

_SAID = quote(HOSTILE)
_LABEL = quote(f"{HOSTILE} 0")
# address: whether a store's own text must be seen there
_PAGES = {
    "": True,
    "latents": True,
    f"latents?q={_SAID}": True,
    f"latents?text={_SAID}&sort={_SAID}&page={_SAID}": False,
    "latent?latent=LATENT": True,
    f"latent?latent={_SAID}&view={_SAID}": False,
    "map": False,
    f"map?color={_SAID}&region={_SAID}": False,
    f"pictures?label={_LABEL}&none_of=LATENT": True,
    f"pictures?q={_SAID}&text={_SAID}": False,
    "inspect?image=3": True,
    f"inspect?image={_SAID}&edit={_SAID}": False,
    f"compare?a=label:{_LABEL}&b=image:3": True,
    f"spans?of=label:{_LABEL}&title={_SAID}": True,
    f"list?latents=1,2,LATENT&title={_SAID}": True,
    "notes": True,
    "quality": True,
    quote(HOSTILE.replace("/", "")): False,  # no page of that name
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> LatentStore:
    return LatentStore.open(make_hostile_store(tmp_path_factory.mktemp("hostile")))


@pytest.fixture(scope="module")
def latent(hostile: LatentStore) -> int:
    """One that is active somewhere."""
    return int(hostile.latents["n_active"].to_numpy().argmax())


@pytest.fixture(scope="module")
def address(hostile: LatentStore, latent: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    notes = folder / "notes.sqlite"
    book = NoteBook(notes, hostile.manifest.sae.fingerprint, hostile.n_latents)
    book.save(latent, HOSTILE[:60], f"[a](javascript:alert(3)) {HOSTILE}", based_on=0)
    with served(folder, SPARSIGHT_STORE=str(hostile.path), SPARSIGHT_NOTES=str(notes)) as address:
        yield address


@pytest.fixture
def watched(context: BrowserContext, address: str) -> Iterator[Page]:
    """A page on which nothing foreign may run, be asked for, or be refused by the policy."""
    page, seen = context.new_page(), list[str]()
    here = urlsplit(address).netloc
    page.on("dialog", lambda dialog: (seen.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: seen.append(f"an error: {error}"))
    page.on("console", lambda said: seen.append(said.text) if "Content Security Policy" in said.text else None)

    def asked(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and (parts.netloc != here or parts.path.rsplit("/")[-1] == "x"):
            seen.append(f"asked for {url}")

    page.on("request", lambda request: asked(request.url))
    yield page
    assert seen == []


def test_no_page_runs_or_fetches_what_a_store_a_note_or_an_address_says(
    watched: Page, address: str, latent: int
) -> None:
    for place, shows in _PAGES.items():
        watched.goto(f"{address}/{place.replace('LATENT', str(latent))}")
        settled(watched)
        _is_only_text(watched, place)
        if shows:
            expect(watched.locator("body"), f"{place} shows the store's text").to_contain_text("<img src=x")


def test_an_uploads_name_is_only_text(watched: Page, address: str) -> None:
    watched.goto(f"{address}/inspect")
    settled(watched)
    given = {"name": f"{HOSTILE.replace('/', '')}.png", "mimeType": "image/png", "buffer": encoded(picture(5)[1])}
    watched.locator("input[type=file]").set_input_files([given])  # type: ignore[list-item]
    expect(watched.get_by_role("heading", name="Sparse code")).to_be_visible()
    settled(watched)
    _is_only_text(watched, "upload")


def test_hovering_what_a_chart_says_is_only_text(watched: Page, address: str, latent: int) -> None:
    watched.goto(f"{address}/latent?latent={latent}")
    settled(watched)
    for picture_link in watched.locator("a.sp-tile").all()[:3]:
        picture_link.hover()
    _is_only_text(watched, "tips")


def test_an_upload_is_nobody_elses(browser: Browser, address: str) -> None:
    """Another visitor at the very same address gets none of it, and no address of the first one's picture."""
    mine, other = browser.new_context(), browser.new_context()
    page, asked = mine.new_page(), list[str]()
    page.on("response", lambda answer: asked.append(answer.url) if answer.request.resource_type == "image" else None)
    page.goto(f"{address}/inspect")
    settled(page)
    given = {"name": "mine.png", "mimeType": "image/png", "buffer": encoded(picture(7)[1])}
    page.locator("input[type=file]").set_input_files([given])  # type: ignore[list-item]
    expect(page.get_by_role("heading", name="Sparse code")).to_be_visible()
    settled(page)
    same = other.new_page()
    same.goto(page.url)
    settled(same)
    expect(same.get_by_role("heading", name="Sparse code")).to_have_count(0)
    assert "mine.png" not in same.locator("body").inner_text()
    assert not [url for url in asked if url.startswith("http") and "/thumb/" not in url and "/media/" in url]
    mine.close()
    other.close()


def _is_only_text(page: Page, place: str) -> None:
    made = page.locator("img[src='x'], [onerror], [style*='position:fixed'], a[href^='javascript']").count()
    assert made == 0, f"markup on {place}"
