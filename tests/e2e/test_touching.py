"""On a phone every button and link is large enough for a finger."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from sae_core import LatentStore
from tests.e2e.conftest import settled

LEAST, PRIMARY = 24, 40  # pixels: WCAG 2.5.8, and what a thumb meets without looking
OFTEN = (
    ".sp-header nav a, .sp-brand, .sp-search input, .sp-tabs a, .sp-pager a, .sp-steps a, .sp-neighbours a, "
    ".sp-ending a, .sp-moves a, .sp-filter :is(input:not([type=hidden], [type=range]), select), .sp-filter summary, "
    ".sp-maptools button, .sp-tools > *, [data-testid=stFileUploader] button"
)
# What shows more than it is (::after) counts as large as that. Links within a sentence keep its lines, as WCAG allows.
SMALL = """([least, often, primary]) => [...document.querySelectorAll(
  ":is(.stHtml, .sp-tray, [data-testid=stMain]) :is(a[href], button, input, select, textarea, summary)"
)].flatMap(element => {
  const { width, height } = element.getBoundingClientRect(), after = getComputedStyle(element, "::after");
  const placed = after.content !== "none" && after.position === "absolute";
  const size = (own, more) => Math.max(own, placed ? parseFloat(more) || 0 : 0);
  const [wide, high] = [size(width, after.width), size(height, after.height)];
  const inside = width > 1 && element.getBoundingClientRect().right > 0;
  const seen = inside && element.checkVisibility({ visibilityProperty: true });
  const sentence = getComputedStyle(element).display === "inline" && element.closest("p");
  const enough = wide >= least && high >= (element.matches(often) ? primary : least) - 0.1;
  if (!seen || sentence || enough || element.closest(".js-plotly-plot, .sp-apply, .sp-skip")) return [];
  return [`${element.tagName}.${element.className} “${element.textContent.slice(0, 20)}” ${wide} × ${high}`];
})"""


def test_nothing_is_too_small_for_a_finger(app: str, store: LatentStore, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    busy = int(store.latents["n_active"].to_numpy().argmax())
    wanted = {
        "": ".sp-facts",
        "latents?q=a&page=2": ".sp-pager",
        f"latent?latent={busy}": ".sp-ending",
        f"latent?latent={busy}&view=deciles": ".sp-decile",
        f"inspect?image=3&prompts=a+dog&edit={busy}:0.2": ".st-key-plot-waterfall .sp-saves",
        f"pictures?all_of={busy}": ".sp-remove",
        f"list?latents={busy},{(busy + 1) % store.n_latents}": ".sp-moves",
        "spans?of=birds": ".sp-table",
        "map": ".sp-maptools",
        "map?q=flags": ".sp-maplinks",
        f"map?latent={busy}": ".sp-maplist .sp-num",
        "quality": ".sp-saves",
    }
    small = []
    for address, wait_for in wanted.items():
        page.goto(f"{app}/{address}")
        expect(page.locator(wait_for).first).to_be_visible(timeout=120_000)
        settled(page)
        small += [f"{address}: {one}" for one in page.evaluate(SMALL, [LEAST, OFTEN, PRIMARY])]
    context.close()
    assert small == []
