"""Browsing at ImageNet's size, in figures: `python -m benchmarks.browsing`.

The stores come from `make large-stores`. Every figure is taken on both, so that growth shows.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import tyro
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from benchmarks.screenshots import CHROMIUM
from benchmarks.served import App, served
from benchmarks.store_reads import store_figures
from benchmarks.visitor import View, Visitor
from sae_core import LatentStore
from sae_core.references import REPOSITORY_ROOT

STORES = REPOSITORY_ROOT / "stores"
_SORTS = ("", "purity", "score", "mono", "frequent", "rare", "number")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
_DRAWN = """() => {
  const seen = [...document.querySelectorAll('.stHtml img')].filter(i => {
    const at = i.getBoundingClientRect();
    return at.bottom > 0 && at.top < innerHeight && at.width > 0;
  });
  return seen.length > 0 && seen.every(i => i.complete && i.naturalWidth > 0);
}"""
_CLICK = """async ([href, waitFor]) => {
  const drawn = DRAWN;
  const text = () => document.querySelector(waitFor)?.textContent;
  const link = document.createElement('a');
  link.href = href;
  document.querySelector('[data-spa]').append(link);
  const before = text();
  const started = performance.now();
  link.click();
  link.remove();
  while (performance.now() - started < 20000) {
    await new Promise(requestAnimationFrame);
    if (text() && text() !== before && drawn()) return performance.now() - started;
  }
  return NaN;
}""".replace("DRAWN", _DRAWN)


@dataclass(frozen=True)
class Settings:
    """Which stores are compared."""

    large: Path = STORES / "large"
    """A store of 1.28 million images."""
    tenth: Path = STORES / "large-tenth"
    """One of a tenth of that."""
    demo: Path = STORES / "demo"
    """The demonstration's, whose app's memory is the baseline."""
    views: int = 500
    """Page views after which memory is compared."""


def main(settings: Settings) -> None:
    """Prints a table: a figure a row, a store a column."""
    print(f"Measured on {machine()}\n")
    baseline = _memory_after_a_visit(settings.demo)
    columns = [
        {**store_figures(path), **app_figures(path, baseline, settings.views)}
        for path in (settings.tenth, settings.large)
    ]
    n_images = [LatentStore.open(path).n_images for path in (settings.tenth, settings.large)]
    print(f"| figure (times in ms) | {n_images[0]:,} images | {n_images[1]:,} images | ratio |\n|---|---|---|---|")
    for name, small in columns[0].items():
        large = columns[1][name]
        ratio = f"{large / small:.2f}" if abs(small) > 1e-9 else "–"
        print(f"| {name} | {_figure(small)} | {_figure(large)} | {ratio} |")


def app_figures(path: Path, baseline_mb: float, n_views: int) -> dict[str, float]:
    """The app on a store: server time, a browser's time, ten visitors, memory."""
    with served(path) as app:
        visitor = Visitor(app.address)
        _visit(visitor, path, 30)  # warm
        beyond = app.memory_mb - baseline_mb
        latents = [visitor.view("latents", query).server_s for query in islice(_latents_queries(path), 60)]
        latent = [visitor.view("latent", query).server_s for query in islice(_latent_queries(path), 60)]
        in_browser = _browser_seconds(app, path)
        together = [view.loaded_s for view in _together(app, path)]
        before = app.memory_mb
        _visit(visitor, path, n_views)
        grown = app.memory_mb - before
        visitor.close()
    return {
        "Latents page, server": 1e3 * statistics.median(latents),
        "Latent page, server": 1e3 * statistics.median(latent),
        "Latents page, click to all visible thumbnails, Chromium, median": 1e3
        * statistics.median(in_browser["latents"]),
        "Latent page, click to all visible thumbnails, Chromium, median": 1e3 * statistics.median(in_browser["latent"]),
        "ten visitors at once, page with thumbnails, median": 1e3 * statistics.median(together),
        "ten visitors at once, page with thumbnails, 95th percentile": 1e3 * float(np.percentile(together, 95)),
        "memory beyond the demonstration's app, MB": beyond,
        f"memory after {n_views} more page views, MB more": grown,
    }


def _latents_queries(path: Path, seed: int = 0) -> Iterator[str]:
    rng = np.random.default_rng([seed, 1])
    pages = LatentStore.open(path).n_latents // 24
    while True:
        yield f"sort={rng.choice(_SORTS)}&page={rng.integers(1, pages + 1)}"


def _latent_queries(path: Path, seed: int = 0) -> Iterator[str]:
    rng = np.random.default_rng([seed, 2])
    n_latents = LatentStore.open(path).n_latents
    while True:
        view = rng.choice(["", "&view=deciles", "&view=random", "&view=near"], p=[0.7, 0.1, 0.1, 0.1])
        yield f"latent={rng.integers(n_latents)}{view}"


def _visit(visitor: Visitor, path: Path, n: int, seed: int = 0) -> list[View]:
    """n views, grid and latent by turns, and a picture's code with its nearest pictures now and then."""
    n_images = LatentStore.open(path).n_images
    pages = zip(_latents_queries(path, seed), _latent_queries(path, seed), strict=True)
    views: list[View] = []
    for turn, (grid, latent) in enumerate(islice(pages, n // 2)):
        views += [visitor.view("latents", grid), visitor.view("latent", latent)]
        if turn % 5 == 4:
            visitor.view("inspect", f"image={turn * 7919 % n_images}")
    return views


def _memory_after_a_visit(path: Path) -> float:
    with served(path) as app:
        visitor = Visitor(app.address)
        _visit(visitor, path, 30)
        visitor.close()
        return app.memory_mb


def _together(app: App, path: Path, n_visitors: int = 10, n_views: int = 20) -> list[View]:
    """Ten sessions, each opening one page after the other without a pause."""

    def one(seed: int) -> list[View]:
        visitor = Visitor(app.address)
        try:
            return _visit(visitor, path, n_views, seed)
        finally:
            visitor.close()

    with ThreadPoolExecutor(n_visitors) as pool:
        return [view for views in pool.map(one, range(1, n_visitors + 1)) for view in views]


def _browser_seconds(app: App, path: Path, n: int = 20) -> dict[str, list[float]]:
    """From a click to the last visible thumbnail, in one session: a grid, a latent of it, the next grid …"""
    seconds: dict[str, list[float]] = {"latents": [], "latent": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{app.address}/latents")
        page.wait_for_function("() => window.sparsightLinks === true")
        page.wait_for_function(_DRAWN)
        for grid in islice(_latents_queries(path, 3), n):
            seconds["latents"].append(_follow(page, f"latents?{grid}", ".sp-cards"))
            href = page.locator(".sp-card a").nth(5).get_attribute("href")
            seconds["latent"].append(_follow(page, str(href), "h1 .sp-no"))
        browser.close()
    return seconds


def _follow(page: Page, href: str, wait_for: str) -> float:
    """Clicks a link that is put on the page; seconds until everything visible is drawn."""
    return float(page.evaluate(_CLICK, [href, wait_for])) / 1e3


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main(tyro.cli(Settings))
