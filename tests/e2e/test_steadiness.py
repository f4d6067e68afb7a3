"""A page that is opened from cold is drawn where it stays."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import settled

MOST = 0.1  # cumulative layout shift that counts as good (web.dev/cls)
OBSERVE = """window.shifts = [];
new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(one => one.value)))
  .observe({ type: "layout-shift", buffered: true });"""
LOADING = """() => new Promise((done) => {
  const look = () => {
    const said = getComputedStyle(document.querySelector("#root"), "::before");
    said.visibility === "visible" ? done(said.content) : setTimeout(look, 50);
  };
  look();
})"""
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LAPTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}


def test_until_the_scripts_have_come_the_window_says_that_it_loads(app: str, browser: Browser) -> None:
    page = browser.new_context().new_page()
    page.route("**/static/js/**", lambda route: route.abort())
    page.goto(app, wait_until="domcontentloaded")
    assert "Sparsight is loading" in page.evaluate(LOADING)
    page.context.close()


@pytest.mark.parametrize("screen", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize(
    ("address", "wait_for"),
    [
        ("latents", ".sp-card"),
        ("latent?latent=5", ".js-plotly-plot"),
        ("inspect", "[data-testid=stFileUploader]"),
        ("inspect?image=3", ".st-key-plot-waterfall .js-plotly-plot"),
    ],
)
def test_nothing_jumps(app: str, browser: Browser, screen: dict[str, Any], address: str, wait_for: str) -> None:
    page = browser.new_context(**screen).new_page()
    page.add_init_script(OBSERVE)
    page.goto(f"{app}/{address}")
    expect(page.locator(wait_for).first).to_be_attached(timeout=120_000)
    settled(page)
    page.wait_for_timeout(1000)  # fonts and pictures
    assert page.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)") < MOST
    page.context.close()
