"""A spans address opened cold, its plots, another size and back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from sae_core import LatentStore


def on_a_phone(page: Page) -> None:
    """Tables are seen whole: a finger finds no bar that says that they go on."""
    page.set_viewport_size({"width": 390, "height": 844})
    tables = page.locator(".sp-scroll:has(.sp-table)")
    expect(tables.first).to_be_visible()
    beyond = tables.evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
    assert beyond and max(beyond) <= 0


# Of every plot its words: titles of the axes, legend, notes. None lies on another or outside of the plot.
OVERPRINTED = """() => [...document.querySelectorAll(".js-plotly-plot")].flatMap(plot => {
  const whole = plot.getBoundingClientRect();
  const parts = [...plot.querySelectorAll(".xtitle, .ytitle, .legend, .annotation-text")]
    .map(part => [part.getAttribute("class"), part.getBoundingClientRect()]).filter(([, edge]) => edge.width);
  const outside = parts.filter(([, { top, bottom }]) => top < whole.top - 1 || bottom > whole.bottom + 1);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const pairs = parts.flatMap(([name, at], i) =>
    parts.slice(i + 1).filter(([, other]) => meet(at, other)).map(([other]) => `${name} on ${other}`));
  const where = plot.closest("[class*=st-key-plot-]").className.match(/st-key-plot-\\S+/)[0];
  return [...outside.map(([name]) => `${name} outside`), ...pairs].map(said => `${where}: ${said}`);
})"""


def no_words_overprinted(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 844})
    page.wait_for_function("() => [...document.querySelectorAll('.js-plotly-plot')].every(p => p.clientWidth < 375)")
    page.wait_for_timeout(800)  # they are drawn anew
    assert page.evaluate(OVERPRINTED) == []


def test_a_spans_address_opened_cold(app: str, store: LatentStore, page: Page) -> None:
    label = store.labels.names[int(store.labels.counts.argmax())]
    page.goto(f"{app}/spans?of=label:{label}&n=20")
    for plot in ("energy", "mass"):
        expect(page.locator(f".st-key-plot-{plot} .js-plotly-plot .main-svg").first).to_be_visible()
    first = page.locator(".sp-lead", has_text="latents are active somewhere in this neighbourhood of 20")
    expect(first).to_be_visible()

    page.locator(".sp-head a", has_text=re.compile("^100$")).click()
    page.wait_for_url("**n=100*")
    expect(page.locator(".sp-lead", has_text="in this neighbourhood of 100")).to_be_visible()
    page.go_back()
    expect(first).to_be_visible()
    assert "n=20" in page.url
    on_a_phone(page)
    no_words_overprinted(page)


def test_what_is_typed_becomes_the_address(app: str, page: Page) -> None:
    page.goto(f"{app}/spans")
    box = page.get_by_role("combobox", name="whose concept spans")
    expect(box).to_be_visible()
    box.fill("12")
    box.press("Enter")
    page.wait_for_url("**/spans?of=12")
    expect(page.locator(".st-key-plot-energy .js-plotly-plot")).to_be_visible()
    expect(box).to_have_value("12")
    page.locator("a", has_text="Train them").click()
    page.wait_for_url("**heads=1*")
    expect(page.locator(".sp-table th", has_text="local, sparse codes")).to_be_visible()
    on_a_phone(page)
