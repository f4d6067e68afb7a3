"""What colours the map's points: one figure of every latent, its scale and its baseline.

One more figure, which needs another store, is in map_again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.definitions import DEFINITIONS
from explorer.views.map_query import COLORS
from explorer.views.random_purity import random_purity
from explorer.wording import activation, figure, percent
from sae_core import LatentStore

# From low to high, so that high stands out from the page: viridis without the end that the page swallows.
SCALE = {
    "light": "#b8de29 #73d055 #3cbb75 #20a387 #287d8e #33638d #404788 #481567 #440154".split(),
    "dark": "#3d4f8f #33638d #2d718e #238a8d #1f968b #29af7f #55c667 #b8de29 #fde725".split(),
}
# Ten colours that can be told apart with any colour vision (Petroff, arXiv 2107.02270).
TEN = "#3f90da #ffa90e #bd1f01 #94a4a2 #832db6 #a96b59 #e76300 #b9ac70 #717581 #92dadd".split()
GREY = {"light": "#cdd0d4", "dark": "#43474d"}  # without a colour
N_LABELS = len(TEN)  # more colours than this cannot be told apart
Write = Callable[[float], str]
_EDGES = (0.01, 0.99)  # quantiles at which the scale ends: single outliers would take all of it


@dataclass(frozen=True, eq=False)
class Scale:
    """A figure from low to high."""

    values: np.ndarray  # float32 [n_latents], NaN where there is none; the logarithm where `log`
    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]  # place on the scale, 0 … 1, and what it says
    baseline: tuple[float, str] | None  # the same; None where it is not on the scale


@dataclass(frozen=True, eq=False)
class Groups:
    """The most common labels; the others are one more group without a colour."""

    codes: np.ndarray  # int [n_latents], -1 none of these
    names: tuple[str, ...]
    counts: tuple[int, ...]


def coloring(store: LatentStore, color: str) -> Scale | Groups | None:
    """What a name of `map_query.COLORS` stands for; None where no latent has the figure."""
    return group_labels(store) if color == "label" else scale_of(store, color)


def group_labels(store: LatentStore) -> Groups:
    """Latents by the most common label of their galleries, labels of most latents first."""
    found = store.latents["top_label"]
    counts = found.value_counts().head(N_LABELS)
    names = [str(name) for name in counts.index]
    places = {name: code for code, name in enumerate(names)}
    codes = np.array([places.get(label, -1) for label in found], dtype=np.int64)
    return Groups(codes, tuple(names), tuple(int(n) for n in counts))


def scale_of(store: LatentStore, color: str) -> Scale | None:
    """The figure that a colour stands for; None where no latent has it."""
    log, write, baseline = _written(store)[color]
    _, column = COLORS[color]
    values = store.latents[column].to_numpy(dtype=np.float32, copy=True)
    values[store.latents["n_active"].to_numpy() == 0] = np.nan
    if log:
        values = np.log10(values, where=values > 0, out=np.full_like(values, np.nan))
        baseline = np.log10(baseline)
    return scaled(values, write, float(baseline), log)


def scaled(values: np.ndarray, write: Write, baseline: float, log: bool = False) -> Scale | None:
    """From nearly the lowest to nearly the highest of `values [n_latents]`; None where none is known."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = (float(edge) for edge in np.quantile(known, _EDGES))
    beyond = bool(known.min() < low), bool(known.max() > high)
    if high <= low:
        low, high = low - 0.5, low + 0.5
    ticks = _ticks(low, high, beyond, lambda value: write(10.0**value if log else value))
    return Scale(values, low, high, log, ticks, _mark(baseline, low, high, log, write))


def definition(store: LatentStore, color: str) -> str:
    """The figure in a sentence, with its baseline."""
    report = store.manifest.report
    said, baseline = {
        "": (DEFINITIONS["map_density"], percent(store.even_density)),
        "label": (DEFINITIONS["map_labels"], str(N_LABELS)),
        "purity": (DEFINITIONS["purity_spread"], percent(random_purity(store))),
        "score": (DEFINITIONS["score"], ""),
        "mono": (DEFINITIONS["monosemanticity"], figure(report.monosemanticity_baseline)),
        "stable": (DEFINITIONS["split_half"], figure(report.split_half_baseline)),
        "activation": (DEFINITIONS["map_activation"], ""),
    }[color]
    return said.format(baseline=baseline)


def _written(store: LatentStore) -> dict[str, tuple[bool, Write, float]]:
    """Of each figure whether its logarithm is drawn, how it is written, its baseline."""
    report = store.manifest.report
    return {
        "": (True, percent, store.even_density),
        "purity": (False, percent, random_purity(store)),
        "score": (False, figure, 0.5),
        "mono": (False, figure, report.monosemanticity_baseline),
        "stable": (False, figure, report.split_half_baseline),
        "activation": (False, activation, float("nan")),
    }


def _ticks(low: float, high: float, beyond: tuple[bool, bool], write: Write) -> tuple[tuple[float, str], ...]:
    """The ends, which stand for what lies beyond them, too, and the middle."""
    at_most, at_least = "≤ " if beyond[0] else "", "≥ " if beyond[1] else ""
    return (0.0, at_most + write(low)), (0.5, write((low + high) / 2)), (1.0, at_least + write(high))


def _mark(baseline: float, low: float, high: float, log: bool, write: Write) -> tuple[float, str] | None:
    if not low <= baseline <= high:  # nan neither
        return None
    return (baseline - low) / (high - low), write(10.0**baseline if log else baseline)
