"""A latent looked at in the browser: the strip, its four views, the figures beside them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.views.beyond_top import MIN_ACTIVE
from explorer.views.latent_gallery import PER_PAGE, RANDOM, Draw, GalleryQuery, build_gallery
from sae_core import LatentStore
from tests.e2e.test_browsing import a_busy_latent, mark_document, parameter, same_document, shown_images, visit


def choose(page: Page, view: str) -> None:
    page.locator(".sp-tabs").get_by_role("link", name=view, exact=True).click()
    expect(page.locator(".sp-tabs [aria-current]")).to_have_text(view)


def drawn(store: LatentStore, latent: int, seed: int) -> list[int]:
    shown = build_gallery(store, latent, GalleryQuery(RANDOM, seed=seed))
    return [tile.image_id for tile in shown.tiles] if isinstance(shown, Draw) else []


def test_the_strip_and_back(app: str, store: LatentStore, page: Page) -> None:
    """Each view is a step of history with an address of its own; Back undoes them one by one."""
    latent = a_busy_latent(store)
    visit(page, f"{app}/latent?latent={latent}", ".sp-tile")
    mark_document(page)
    choose(page, "deciles")
    expect(page.locator(".sp-decile")).to_have_count(10)
    assert parameter(page, "view") == "deciles"
    choose(page, "random")
    expect(page.locator(".sp-said")).to_contain_text("at random")
    assert shown_images(page) == drawn(store, latent, 0)
    page.get_by_role("link", name="draw again").click()
    page.wait_for_url("**seed=1*")
    expect(page.locator(".sp-tile").first).to_have_attribute("href", f"inspect?image={drawn(store, latent, 1)[0]}")
    assert shown_images(page) == drawn(store, latent, 1)
    page.go_back()
    expect(page.locator(".sp-tile").first).to_have_attribute("href", f"inspect?image={drawn(store, latent, 0)[0]}")
    page.go_back()
    expect(page.locator(".sp-decile")).to_have_count(10)
    page.go_back()
    expect(page.locator(".sp-tabs [aria-current]")).to_have_text("top")
    assert shown_images(page) == store.gallery(latent, 0, PER_PAGE).image_ids.tolist()
    assert same_document(page)


def test_near_misses_alone_are_no_larger_than_the_gallery(app: str, store: LatentStore, page: Page) -> None:
    """Of few pictures neither the middle nor the weakest are shown: the near misses have the line to themselves."""
    sizes = store.latents["n_active"]
    latent = next(
        int(one) for one in sizes.index[sizes.between(6, MIN_ACTIVE - 1)] if len(store.near_misses(int(one)).image_ids)
    )
    visit(page, f"{app}/latent?latent={latent}", ".sp-beyond .sp-tile")
    expect(page.locator(".sp-beyond .sp-gallery")).to_have_count(1)
    near = page.locator(".sp-beyond .sp-tile img").first.bounding_box()
    top = page.locator(".sp-gallery:not(.sp-beyond *) .sp-tile img").first.bounding_box()
    assert near is not None and top is not None and near["width"] < top["width"] / 2


def test_a_decile_leads_to_all_of_it(app: str, store: LatentStore, page: Page) -> None:
    latent = a_busy_latent(store)
    visit(page, f"{app}/latent?latent={latent}&view=deciles", ".sp-decile")
    for number in (0, 9):
        row = page.locator(".sp-decile").nth(number)
        expect(row.locator("b")).to_have_text(f"decile {10 - number}")
        start, stop = store.decile_range(latent, 10 - number)
        ids = row.locator(".sp-tile").evaluate_all("all => all.map(tile => tile.href.split('image=')[1])")
        assert {int(i) for i in ids} <= set(store.gallery(latent, start, stop).image_ids.tolist())
    page.locator(".sp-decile").nth(9).get_by_text("all of this decile").click()
    expect(page.locator(".sp-tabs [aria-current]")).to_have_text("top")
    start, _ = store.decile_range(latent, 1)
    assert int(store.gallery(latent, start, start + 1).image_ids[0]) in shown_images(page)


def test_near_misses(app: str, store: LatentStore, page: Page) -> None:
    """Not one of them has the latent in its code, and hovering says what it lost to."""
    latent = a_busy_latent(store)
    missed = store.near_misses(latent)
    visit(page, f"{app}/latent?latent={latent}&view=near", ".sp-tile")
    assert shown_images(page) == missed.image_ids.tolist()
    assert all(latent not in store.code(image_id).latents for image_id in missed.image_ids)
    expect(page.locator(".sp-said")).to_contain_text("not active")
    page.locator(".sp-tile").first.hover()
    expect(page.locator(".sp-tip")).to_contain_text("lost to")


def test_the_histogram_has_its_marks(app: str, store: LatentStore, page: Page) -> None:
    latent = a_busy_latent(store)
    visit(page, f"{app}/latent?latent={latent}", ".js-plotly-plot")
    drawn = page.locator(".js-plotly-plot .shapelayer path")
    expect(drawn).to_have_count(9)
    lefts = drawn.evaluate_all("all => all.map(path => path.getBoundingClientRect().left)")
    assert len({round(left, 2) for left in lefts}) > 5, "the marks lie where the deciles begin, not in one place"
    bars = page.locator(".js-plotly-plot .bars path")
    assert bars.count() >= int((store.histogram(latent).counts > 0).sum())


def test_active_together_leads_to_the_latent_and_the_pictures(app: str, store: LatentStore, page: Page) -> None:
    latent = next(int(latent) for latent in store.latents.index if len(store.coactive(int(latent)).latents) > 2)
    other, n_both = int(store.coactive(latent).latents[0]), int(store.coactive(latent).n_both[0])
    visit(page, f"{app}/latent?latent={latent}", ".sp-relative")
    first = page.locator(".sp-relative").first
    expect(first.locator(".sp-no")).to_have_text(f"#{other}")
    expect(first.locator(".sp-why a")).to_have_text(f"{n_both:,}\u00a0picture{'' if n_both == 1 else 's'}")
    assert first.locator(".sp-why a").get_attribute("href") == f"pictures?all_of={latent},{other}"
    assert len(store.images_where(all_of=[latent, other]).image_ids) == n_both
    first.locator(".sp-strip").click()
    expect(page.locator("h1 .sp-no")).to_have_text(f"#{other}")


def test_arrow_keys_keep_the_view(app: str, store: LatentStore, page: Page) -> None:
    latent = a_busy_latent(store)
    visit(page, f"{app}/latent?latent={latent}&view=near", "h1")
    step = "ArrowRight" if latent + 1 < store.n_latents else "ArrowLeft"
    page.keyboard.press(step)
    expect(page.locator("h1 .sp-no")).not_to_have_text(f"#{latent}")
    assert parameter(page, "view") == "near"


def test_what_the_top_does_not_show_is_in_the_first_screen(app: str, store: LatentStore, browser: Browser) -> None:
    """Middle, weakest and near misses, on a phone, too; each leads to more of its kind."""
    for width, height in ((1280, 800), (390, 844)):
        page = browser.new_page(viewport={"width": width, "height": height})
        visit(page, f"{app}/latent?latent={a_busy_latent(store)}", ".sp-beyond")
        tops = page.locator(".sp-beyond .sp-line").evaluate_all("all => all.map(e => e.getBoundingClientRect().top)")
        assert len(tops) >= 2 and max(tops) - min(tops) < 2, "one row"
        assert max(tops) < height or width < 500
        page.get_by_role("link", name="weakest", exact=True).click()
        expect(page.locator(".sp-pager b")).not_to_have_text("1")
        expect(page.locator(".sp-beyond")).to_have_count(0)
        page.close()


@pytest.mark.parametrize("view", ["", "deciles", "random", "near"])
def test_on_a_phone(app: str, store: LatentStore, browser: Browser, view: str) -> None:
    """One column, nothing wider than the window, pictures before figures."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    visit(page, f"{app}/latent?latent={a_busy_latent(store)}&view={view}", ".js-plotly-plot")
    page.wait_for_timeout(300)
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    edges = page.locator(".stHtml :is(img, a, div, section, p, h1)").evaluate_all(
        "all => Math.max(...all.filter(e => !e.closest('.sp-tabs, .sp-header nav'))"
        ".map(e => e.getBoundingClientRect().right))"
    )
    assert edges <= 391
    gallery, plot = page.locator(".sp-tile").first.bounding_box(), page.locator(".js-plotly-plot").bounding_box()
    assert gallery and plot
    assert gallery["y"] < plot["y"]
    context.close()
