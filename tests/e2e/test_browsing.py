"""A visit with a mouse, a keyboard, a phone."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from explorer.views.latent_gallery import PER_PAGE
from sae_core import LatentStore
from tests.e2e.conftest import settled

SHOWN = ".sp-gallery:not(.sp-beyond *) .sp-tile"  # without the few beside a gallery's top
DRAWN = """() => [...document.querySelectorAll('.stHtml img')].filter(i => i.offsetParent).slice(0, 12)
    .every(i => i.complete && i.naturalWidth > 0)"""


def visit(page: Page, address: str, wait_for: str) -> None:
    """Opens the page and waits for its pictures and for the link script: without that, links load the document."""
    page.goto(address)
    expect(page.locator(wait_for).first).to_be_visible()
    page.wait_for_function("() => window.sparsightLinks === true")
    page.wait_for_function(DRAWN)


def same_document(page: Page) -> bool:
    return bool(page.evaluate("() => window.sameDocument === true"))


def mark_document(page: Page) -> None:
    page.evaluate("() => { window.sameDocument = true }")


def a_busy_latent(store: LatentStore) -> int:
    """Strongest of those with three gallery pages or more."""
    busy = store.latents[store.latents["n_active"] > 2 * PER_PAGE]
    return int(busy["max_activation"].idxmax())


def parameter(page: Page, name: str) -> str | None:
    return parse_qs(urlsplit(page.url).query).get(name, [None])[0]


def test_from_the_grid_to_the_last_picture_and_back(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/", ".sp-facts")
    mark_document(page)
    page.locator(".sp-header nav").get_by_text("Latents").click()
    expect(page.locator(".sp-card")).to_have_count(24)
    page.locator(".sp-filter select[name=sort]").select_option("frequent")
    page.wait_for_url("**/latents?sort=frequent")
    most_frequent = int(store.latents["density"].idxmax())
    expect(page.locator(".sp-card").first.locator(".sp-no")).to_have_text(f"#{most_frequent}")
    page.locator(".sp-card").first.locator(".sp-nine").click()
    expect(page.locator("h1 .sp-no")).to_have_text(f"#{most_frequent}")

    gallery = store.gallery(most_frequent)
    expect(page.locator(SHOWN)).to_have_count(min(PER_PAGE, len(gallery.image_ids)))
    n_pages = -(-len(gallery.image_ids) // PER_PAGE)
    seen = shown_images(page)
    for number in range(2, min(n_pages, 4) + 1):
        page.locator(".sp-pager a[rel=next]").click()
        expect(page.locator(".sp-pager b")).to_have_text(f"{number:,}")
        seen += shown_images(page)
    assert seen == gallery.image_ids[: len(seen)].tolist()

    if n_pages > 4:
        page.locator(".sp-pager").get_by_role("link", name=f"page {n_pages}").click()
    expect(page.locator(".sp-pager b")).to_have_text(f"{n_pages:,}")
    last = gallery.image_ids[(n_pages - 1) * PER_PAGE :].tolist()
    expect(page.locator(SHOWN)).to_have_count(len(last))
    assert shown_images(page) == last
    expect(page.locator(".sp-pager a[rel=next]")).to_have_count(0)

    page.go_back()
    before = min(n_pages - 1, 4) if n_pages > 4 else n_pages - 1
    expect(page.locator(".sp-pager b")).to_have_text(f"{before:,}")
    for _ in range(before):
        page.go_back()
    expect(page.locator(".sp-card")).to_have_count(24)
    assert page.url.endswith("/latents?sort=frequent")
    expect(page.locator(".sp-filter select[name=sort]")).to_have_value("frequent")
    assert same_document(page), "a plain click must not load the document again"


def shown_images(page: Page) -> list[int]:
    addresses = page.locator(SHOWN).evaluate_all("tiles => tiles.map(tile => tile.getAttribute('href'))")
    return [int(address.split("image=")[1]) for address in addresses]


def test_a_click_is_one_step_of_history(app: str, page: Page) -> None:
    visit(page, f"{app}/", ".sp-facts")
    before = page.evaluate("history.length")
    page.locator(".sp-header nav").get_by_text("Inspect").click()
    expect(page.locator("[data-testid=stFileUploader]")).to_be_visible()
    page.wait_for_timeout(500)
    assert page.evaluate("history.length") == before + 1


def test_no_arrow_key_is_lost_while_pages_are_drawn(app: str, page: Page) -> None:
    visit(page, f"{app}/latent?latent=5", "h1")
    for key in (*["ArrowRight"] * 5, "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("h1 .sp-no")).to_have_text("#9", timeout=30_000)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1 .sp-no")).to_have_text("#8")
    page.go_back()
    expect(page.locator("h1 .sp-no")).to_have_text("#9")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1 .sp-no")).to_have_text("#8")


def test_arrow_keys_and_search_box(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/latent?latent=5", "h1")
    mark_document(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1 .sp-no")).to_have_text("#6")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1 .sp-no")).to_have_text("#5")
    page.keyboard.press("/")
    expect(page.locator(".sp-search input")).to_be_focused()
    page.keyboard.type("#12")
    page.keyboard.press("ArrowRight")  # moves the caret, not the latent
    page.keyboard.press("Enter")
    expect(page.locator("h1 .sp-no")).to_have_text("#12")
    assert parameter(page, "latent") == "12"

    word = str(store.latents["top_label"].dropna().iloc[0]).split()[0].lower()
    page.keyboard.press("/")
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    expect(page.locator(".sp-chip")).to_contain_text(word)
    assert parameter(page, "q") == word
    expect(page.locator(".sp-card").first).to_be_visible()
    page.locator(".sp-chip").click()
    expect(page.locator(".sp-chip")).to_have_count(0)
    assert same_document(page)


@pytest.mark.parametrize(
    ("path", "wait_for"),
    [
        ("", ".sp-facts"),
        ("latents?sort=purity&page=2", ".sp-card"),
        ("latent?latent=5", "h1"),
        ("inspect", "[data-testid=stFileUploader]"),
        ("inspect?image=3", ".sp-code"),
    ],
)
def test_deep_links_from_cold(app: str, page: Page, path: str, wait_for: str) -> None:
    visit(page, f"{app}/{path}", wait_for)
    expect(page.locator(".sp-header")).to_have_count(1)
    page.reload()
    expect(page.locator(wait_for).first).to_be_visible()
    assert page.url == f"{app}/{path}"


def test_links_open_in_a_new_tab(app: str, context: BrowserContext, page: Page) -> None:
    visit(page, f"{app}/latents", ".sp-card")
    with context.expect_page() as opened:
        page.locator(".sp-nine").first.click(modifiers=["Control"])
    expect(opened.value.locator("h1 .sp-no")).to_be_visible()
    assert page.url == f"{app}/latents"


def test_copied_link_is_this_view(app: str, context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=app)
    visit(page, f"{app}/latent?latent=5", "h1")
    page.locator(".sp-title [data-copy]").click()
    expect(page.locator(".sp-title [data-copy]")).to_have_text("copied")
    assert page.evaluate("() => navigator.clipboard.readText()") == f"{app}/latent?latent=5"
    expect(page.locator(".sp-title [data-copy]")).to_have_text("copy link")


def test_a_picture_leads_to_its_code(app: str, store: LatentStore, page: Page) -> None:
    latent = a_busy_latent(store)
    visit(page, f"{app}/latent?latent={latent}", ".sp-tile")
    strongest = int(store.gallery(latent, 0, 1).image_ids[0])
    page.locator(SHOWN).first.click()
    expect(page.locator(".sp-row")).to_have_count(len(store.code(strongest).latents))
    shown = page.locator(".sp-row .sp-no").all_text_contents()
    assert shown == [f"#{latent}" for latent in store.code(strongest).latents]
    page.go_back()
    expect(page.locator("h1 .sp-no")).to_have_text(f"#{latent}")


def test_back_returns_to_where_one_was(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/latents", ".sp-card")
    scroll = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    card = page.locator(".sp-card").nth(18)
    card.scroll_into_view_if_needed()
    left_at = page.evaluate(scroll)
    assert left_at > 100
    card.locator(".sp-nine").click()
    expect(page.locator("h1 .sp-no")).to_be_visible()
    assert page.evaluate(scroll) == 0
    page.go_back()
    expect(page.locator(".sp-card").nth(18)).to_be_visible()
    page.wait_for_function(f"() => Math.abs(({scroll})() - {left_at}) < 5")


def test_question_marks_explain(app: str, page: Page) -> None:
    visit(page, f"{app}/", ".sp-facts")
    page.locator(".sp-facts .sp-q").first.hover()
    expect(page.locator(".sp-tip")).to_contain_text("Baseline")
    page.keyboard.press("Escape")
    expect(page.locator(".sp-tip")).to_be_hidden()


def test_a_dead_latent_says_so(app: str, store: LatentStore, page: Page) -> None:
    dead = store.latents.index[store.latents["n_active"] == 0]
    if not len(dead):
        pytest.skip("this store has no dead latent")
    page.goto(f"{app}/latent?latent={int(dead[0])}")
    expect(page.locator(".sp-note")).to_contain_text("No picture in this store activates it")


def test_no_such_latent(app: str, store: LatentStore, page: Page) -> None:
    page.goto(f"{app}/latent?latent={store.n_latents}")
    expect(page.locator(".sp-note")).to_contain_text(f"0 … {store.n_latents - 1:,}")


TWO_CLICKS = """([selectors, apart]) => selectors.forEach((selector, n) => {
  const how = { bubbles: true, cancelable: true, clientX: 500 + n * apart, clientY: 400, detail: n + 1 };
  document.querySelector(selector).dispatchEvent(new MouseEvent("click", how));
})"""


def test_half_of_a_double_click_opens_nothing_else(app: str, page: Page) -> None:
    """The page that "next" opens begins at its top: there the pointer is over a card, at once."""
    visit(page, f"{app}/latents", ".sp-card")
    page.evaluate(TWO_CLICKS, [[".sp-pager a[rel=next]", ".sp-card a"], 2])
    expect(page.locator(".sp-pager b")).to_have_text("2")
    page.evaluate(TWO_CLICKS, [[".sp-steps a[rel=next]", ".sp-steps a[rel=next]"], 0])  # meant twice: it stays there
    page.wait_for_url("**/latents?page=3")
    settled(page)
    page.evaluate(TWO_CLICKS, [[".sp-pager a[rel=next]", ".sp-card a"], 100])
    expect(page.locator("h1 .sp-no")).to_be_visible()


@pytest.mark.parametrize(("width", "n_rows"), [(1141, 1), (1280, 1), (1366, 1), (1490, 1), (1130, 2), (820, 2)])
def test_the_header_is_one_row_on_a_laptop_and_two_below(app: str, page: Page, width: int, n_rows: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    visit(page, app, ".sp-facts")
    parts = [
        page.locator(f".sp-header {part}").bounding_box() for part in (".sp-brand", "nav", ".sp-store", ".sp-search")
    ]
    middles = [part["y"] + part["height"] / 2 for part in parts if part]
    assert middles[1] == pytest.approx(middles[0], abs=4) and middles[3] == pytest.approx(middles[2], abs=4)
    assert (middles[2] == pytest.approx(middles[0], abs=4)) == (n_rows == 1)
    line = page.locator(".sp-store")
    if width >= 1280:
        assert line.evaluate("line => line.scrollWidth <= line.clientWidth"), "all of it is read"
    assert line.get_attribute("title") == (line.text_content() or "").replace("art ", "art: ", 1)


@pytest.mark.parametrize(("n", "n_columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (9, 3)])
def test_few_pictures_fill_their_card(app: str, store: LatentStore, page: Page, n: int, n_columns: int) -> None:
    sizes = store.latents["n_active"]
    visit(page, app + f"/latents?latents={sizes[sizes == n].index[0]}", ".sp-card")
    card, picture = (page.locator(one).first.bounding_box() for one in (".sp-nine", ".sp-nine img"))
    assert card and picture
    assert picture["width"] == pytest.approx(card["width"] / n_columns, abs=1)


@pytest.mark.parametrize("width", [320, 375])
def test_a_phones_header_is_low_and_holds_every_page(app: str, browser: Browser, width: int) -> None:
    """One line of pages that is pushed sideways; it begins at the page that is shown, and the keyboard reaches all."""
    context = browser.new_context(viewport={"width": width, "height": 700}, is_mobile=True, has_touch=True)
    page = context.new_page()
    for address, name in (("quality", "Quality"), ("latents", "Latents"), ("compare", "Compare")):
        page.goto(f"{app}/{address}")  # whether pictures are in the first screen of a phone is not asked
        settled(page)
        height = page.locator(".sp-header").evaluate("header => header.getBoundingClientRect().height")
        assert height <= 110
        if width == 375:
            line = page.locator(".sp-store")
            assert line.evaluate("line => line.scrollWidth <= line.clientWidth"), "“demonstration store” to its end"
        here = page.locator(".sp-header nav a[aria-current]")
        expect(here).to_have_text(name)
        expect(here).to_be_in_viewport(ratio=1)
    page.locator(".sp-brand").focus()
    for link in page.locator(".sp-header nav a").all():
        page.keyboard.press("Tab")
        expect(link).to_be_focused()
        expect(link).to_be_in_viewport(ratio=1)
    page.locator(".sp-header nav").evaluate("nav => nav.scrollTo(0, 0)")
    page.locator(".sp-header nav").get_by_text("Home").tap()
    expect(page.locator(".sp-facts")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [390, 820])
def test_nothing_scrolls_sideways(app: str, store: LatentStore, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    wanted = {
        "": ".sp-facts",
        "latents": ".sp-card",
        f"latent?latent={a_busy_latent(store)}": ".js-plotly-plot",
        "inspect": "[data-testid=stFileUploader]",
        "inspect?image=3": ".sp-code",
    }
    for path, wait_for in wanted.items():
        page.goto(f"{app}/{path}")
        expect(page.locator(wait_for).first).to_be_visible(timeout=30_000)
        page.wait_for_timeout(400)
        main = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")
        assert main <= width, path
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, path
        edges = page.locator(".stHtml :is(img, select, input, div, section, article, p, h1)").evaluate_all(
            "all => Math.max(...all.map(e => e.getBoundingClientRect().right))"
        )
        assert edges <= width + 1, path
    context.close()


def test_links_work_without_the_link_script(app: str, browser: Browser) -> None:
    """Streamlit needs JavaScript, but our links need only Streamlit: here the script never takes a click."""
    context = browser.new_context()
    context.add_init_script("window.sparsightLinks = true")
    page = context.new_page()
    page.goto(f"{app}/latents")
    page.locator(".sp-nine").first.click(timeout=30_000)
    expect(page.locator("h1 .sp-no")).to_be_visible(timeout=30_000)
    assert re.search(r"/latent\?latent=\d+$", page.url)
    page.locator(".sp-search input").fill("zzzz")
    page.keyboard.press("Enter")
    expect(page.locator(".sp-note")).to_contain_text("Nothing found", timeout=30_000)
    context.close()
