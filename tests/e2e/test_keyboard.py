"""Without a mouse: few presses to the first card, one a card, and "+" collects."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import settled

CARD = "() => [...document.querySelectorAll('.sp-card')].indexOf(document.activeElement.closest('.sp-card'))"


def open_latents(app: str, page: Page) -> None:
    page.goto(f"{app}/latents")
    expect(page.locator(".sp-card")).to_have_count(24)
    page.wait_for_function("() => window.sparsightLinks === true")
    settled(page)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_the_first_stop_skips_the_header_and_the_next_the_filters(app: str, page: Page) -> None:
    open_latents(app, page)
    press(page, "Tab")
    skip = page.locator("[data-testid=stSkipToContent]")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    press(page, "Enter", "Tab")
    filters = page.get_by_role("button", name="Skip the filters")
    expect(filters).to_be_focused()
    expect(filters).to_be_in_viewport(ratio=1)
    press(page, "Enter", "Tab")
    assert page.evaluate(CARD) == 0


def test_a_card_is_one_stop(app: str, page: Page) -> None:
    open_latents(app, page)
    press(page, "Tab", "Enter", "Tab", "Enter")
    reached = []
    for _ in range(5):
        press(page, "Tab")
        reached.append(page.evaluate(CARD))
    assert reached == [0, 1, 2, 3, 4]
    press(page, "+")
    expect(page.locator(".sp-tray")).to_contain_text("1 latent in your list")
    expect(page.locator(".sp-card").nth(4).locator(".sp-add")).to_have_attribute("aria-pressed", "true")
    press(page, "+")
    expect(page.locator(".sp-tray")).to_be_hidden()
    number = page.locator(".sp-card").nth(4).locator(".sp-no").inner_text()
    press(page, "Enter")
    expect(page.locator("h1 .sp-no")).to_have_text(number)


def test_a_skip_lands_below_the_header_of_every_page(app: str, page: Page) -> None:
    for address in ("", "latent?latent=5", "inspect", "quality"):
        page.goto(f"{app}/{address}")
        expect(page.locator(".sp-header")).to_be_visible()
        page.wait_for_function("() => window.sparsightLinks === true")
        settled(page)
        press(page, "Tab", "Enter", "Tab")
        below = "() => document.activeElement.closest('main') && !document.activeElement.closest('.sp-header')"
        assert page.evaluate(f"() => Boolean(({below})())"), address
