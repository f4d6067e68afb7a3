"""How the map feels with few and with many latents, in Chromium: `python -m benchmarks.map_points`.

Makes stores of that many latents (20,000 images, no CLIP; see large_store) unless `--stores` has them already, opens
the map from the home page by its link, points at latents, moves the map and draws a lasso. Times are the browser's own,
from the event to what is on the screen: all points; the card with its nine pictures; the points in their new places;
the names in the list. Without a GPU, WebGL is drawn by the processor.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tyro
from playwright.sync_api import Page, sync_playwright

from benchmarks import large_store, made_up_images
from benchmarks.machine import machine
from benchmarks.screenshots import CHROMIUM
from benchmarks.served import served
from explorer.views.map_points import point_bytes
from sae_core import LatentStore

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
# The promise is kept in the page: the driver acts meanwhile, and its own delays do not count.
_WATCH = """([event, done]) => {
  window.watched = new Promise((resolve) => {
    document.addEventListener(event, () => {
      const started = performance.now();
      const look = () => {
        if (window.watchDone[done]()) resolve(performance.now() - started);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }, { once: true, capture: true });
  });
}"""
_DONE = """() => {
  let asked = false;
  window.watchDone = {
    drawn: () => document.querySelector('.sp-mapcanvas[data-drawn]') !== null,
    card: () => {
      const card = document.querySelector('.sp-mapcard:not([hidden])');
      const shown = card ? [...card.querySelectorAll('img:not([hidden])')] : [];
      return Boolean(card?.dataset.latent) && shown.every((i) => i.complete && i.naturalWidth > 0);
    },
    listed: () => document.querySelector('[data-map-selection] li')?.textContent.includes('·') ?? false,
    moved: () => { // asked before the map draws, and again after it; reading a pixel waits for the drawing
      asked = !asked;
      if (asked) return false;
      const gl = document.querySelector('.sp-mapcanvas').getContext('webgl');
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
      return true;
    },
  };
}"""


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    latents: tuple[int, ...] = (1_536, 4_096, 65_536)
    """Sizes of the map."""
    rounds: int = 7
    """Visits of each."""
    stores: Path | None = None
    """Folder of stores named by their number of latents; made where they are not there."""


def main(settings: Settings) -> None:
    """Prints the medians of every size, and their ratios to the smallest."""
    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        root = settings.stores or Path(scratch)
        found = {n: _measured(_store(root, n), settings.rounds) for n in settings.latents}
    first = found[settings.latents[0]]
    for n, figures in found.items():
        said = (f"{name} {value:,.0f} ms ({value / first[name]:.2f}×)" for name, value in figures.items())
        print(f"{n:,} latents: {', '.join(said)}")


def _store(root: Path, n: int) -> LatentStore:
    path = root / str(n)
    if not path.exists():
        large_store.main(made_up_images.Settings(path, images=20_000, latents=n, d_embed=64, classes=200))
    return LatentStore.open(path)


def _measured(store: LatentStore, rounds: int) -> dict[str, float]:
    print(f"{store.n_latents:,} latents: {len(point_bytes(store, '') or b'') / 1e3:,.0f} kB of points")
    with served(store.path) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        visits = [_visit(page, app.address, store, number) for number in range(rounds + 1)][1:]  # the first warms up
        browser.close()
    return {name: statistics.median(visit[name] for visit in visits) for name in visits[0]}


def _visit(page: Page, address: str, store: LatentStore, number: int) -> dict[str, float]:
    page.goto(f"{address}/")
    page.wait_for_selector(".sp-facts")
    page.wait_for_function("() => window.sparsightLinks === true")
    page.wait_for_timeout(1000)
    page.evaluate(_DONE)
    link = page.locator(".sp-header nav a[href=map]")
    figures = {"open": _timed(page, "click", "drawn", link.click)}
    page.wait_for_timeout(500)
    alive = np.flatnonzero(store.latents["n_active"] >= 9)
    middle = store.latents[["x", "y"]].to_numpy(dtype=float)[alive]
    near = np.argsort(np.linalg.norm(middle - np.median(middle, axis=0), axis=1))[number]
    where = _spot(page, middle[near])
    figures["card"] = _timed(page, "pointermove", "card", lambda: page.mouse.move(*where))
    page.mouse.down()
    places = [(where[0] + 9 * i, where[1] + 5 * i) for i in range(1, 10)]
    moves = [_timed(page, "pointermove", "moved", partial(page.mouse.move, *place)) for place in places]
    figures["move"] = statistics.median(moves)
    page.mouse.up()
    page.locator("button[data-tool=lasso]").click()
    corners = [(400, 300), (800, 300), (800, 600), (400, 600)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=10)
    figures["lasso"] = _timed(page, "pointerup", "listed", page.mouse.up)
    return figures


def _timed(page: Page, event: str, done: str, act: Callable[[], None]) -> float:
    """Milliseconds from an event in the page to the frame in which something is so."""
    page.evaluate(_WATCH, [event, done])
    act()
    return float(page.evaluate("() => window.watched"))


def _spot(page: Page, place: np.ndarray) -> tuple[float, float]:
    canvas = page.locator(".sp-mapcanvas")
    x0, x1, y0, y1 = (float(part) for part in (canvas.get_attribute("data-view") or "").split(","))
    box = canvas.bounding_box()
    assert box is not None
    x, y = place.tolist()
    return box["x"] + (x - x0) / (x1 - x0) * box["width"], box["y"] + (y1 - y) / (y1 - y0) * box["height"]


if __name__ == "__main__":
    main(tyro.cli(Settings))
