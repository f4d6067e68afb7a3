"""On a phone figures in plots stay apart, and a field's "?" stays beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import settled

# Texts of the first kind that lie on one of the second, or so close to its side that they read as one.
MEET = """([first, second]) => {
  const seen = selector => [...document.querySelectorAll(selector)].filter(one => one.textContent.trim());
  const box = one => one.getBoundingClientRect();
  const meet = (a, b) => a.left < b.right + 2 && b.left < a.right + 2 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return seen(first).flatMap(one => seen(second).filter(other => one !== other && meet(box(one), box(other)))
    .map(other => `${one.textContent} on ${other.textContent}`));
}"""


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 375, "height": 812}, is_mobile=True, has_touch=True)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def test_numbers_beside_bars_stay_off_the_names(app: str, phone: Page) -> None:
    phone.goto(f"{app}/compare?a=birds&b=flags")
    numbers = ".st-key-plot-cosine-parts .bartext"
    expect(phone.locator(numbers).first).to_be_visible(timeout=120_000)
    settled(phone)
    assert phone.evaluate(MEET, [numbers, ".st-key-plot-cosine-parts :is(.ytick, .y2tick) text"]) == []
    right = phone.locator(numbers).evaluate_all("all => Math.max(...all.map(one => one.getBoundingClientRect().right))")
    assert right <= 375


def test_numbers_in_a_heat_map_stay_in_their_cells(app: str, phone: Page) -> None:
    phone.goto(f"{app}/spans?of=birds")
    numbers = ".st-key-plot-labels .textpoint text"
    expect(phone.locator(numbers).first).to_be_visible(timeout=120_000)
    settled(phone)
    assert phone.locator(numbers).count() > 40
    assert phone.evaluate(MEET, [numbers, numbers]) == []


def test_a_fields_help_stands_beside_it(app: str, phone: Page) -> None:
    phone.goto(f"{app}/map")
    expect(phone.locator(".sp-mapcanvas[data-drawn]")).to_be_visible()
    field, other, mark = (
        phone.locator(f".sp-mapbar {one}").first.bounding_box() for one in ("select", "input[name=q]", ".sp-q")
    )
    assert field and other and mark
    assert field["y"] == pytest.approx(other["y"], abs=1)
    assert field["y"] < mark["y"] + mark["height"] / 2 < field["y"] + field["height"]


def test_edit_stands_in_the_titles_line(app: str, phone: Page) -> None:
    phone.goto(f"{app}/latent?latent=5")
    settled(phone)
    title, edit = (
        phone.locator(one).bounding_box()
        for one in (".sp-title h1", ".st-key-title-row [data-testid=stPopover] button")
    )
    assert title and edit
    assert title["y"] < edit["y"] + edit["height"] / 2 < title["y"] + title["height"], (
        "in the tools' line it would need one of its own"
    )
    words = phone.locator(".sp-title h1").evaluate(
        "one => { const range = document.createRange(); range.selectNodeContents(one);"
        " return Math.max(...[...range.getClientRects()].map(box => box.right)); }"
    )
    assert words < edit["x"]
