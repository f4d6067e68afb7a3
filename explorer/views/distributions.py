"""How one figure is spread over the latents: bins, its baseline, and the latents at either end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from explorer.views.controls import controls_of
from explorer.views.parts import LatentRef, latent_ref
from explorer.views.striking import MIN_PICTURES
from sae_core import LatentStore

N_BINS = 40
N_EXTREMES = 6
_BINS_PER_DECADE = 8


@dataclass(frozen=True)
class Extreme:
    """A latent at one end of a distribution."""

    ref: LatentRef
    value: str  # empty where the reference says it already


@dataclass(frozen=True)
class Outline:
    """Controls of one kind by the same figure."""

    kind: str  # of CONTROL_KINDS
    counts: tuple[float, ...]  # in the same bins, scaled to as many as there are latents
    median: float


@dataclass(frozen=True)
class Distribution:
    """Latents by one figure."""

    key: str
    title: str  # the question that the chart answers
    summary: str  # the answer, in a sentence
    definition: str
    axis: str  # the figure, with its unit
    edges: tuple[float, ...]  # n_bins + 1; powers of ten where `log`
    counts: tuple[int, ...]  # latents
    outlines: tuple[Outline, ...]  # random directions; none where the store has none
    log: bool  # edges are decimal logarithms
    baseline: float  # NaN: none
    baseline_words: str
    ends: tuple[str, str]  # what the high end and the low end are called
    highest: tuple[Extreme, ...]
    lowest: tuple[Extreme, ...]
    sorted_url: str  # all latents by this figure


def known(latents: pd.DataFrame, column: str) -> pd.Series[float]:
    """The figure of the latents that are not dead and have it."""
    return latents.loc[latents["n_active"] > 0, column].dropna().astype(float)


def linear_bins(values: pd.Series[float], low: float, high: float) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Bins of equal width; values outside the range count in the outermost bin."""
    counts, edges = np.histogram(np.clip(values, low, high), bins=N_BINS, range=(low, high))
    return tuple(edges.tolist()), tuple(counts.tolist())


def decade_bins(values: pd.Series[float], smallest: float) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Bins of equal width in decimal logarithms, from the decade of `smallest` to 1. Values are above 0."""
    first = math.floor(math.log10(smallest))
    n_bins = max(1, -first * _BINS_PER_DECADE)
    counts, edges = np.histogram(np.log10(values), bins=n_bins, range=(first, 0))
    return tuple(edges.tolist()), tuple(counts.tolist())


def outlines(
    store: LatentStore, column: str, edges: tuple[float, ...], n_latents: int, kinds: Sequence[str]
) -> tuple[Outline, ...]:
    """Those of the kinds that the store has, and that have the figure."""
    tables = ((kind, controls_of(store, kind)) for kind in kinds)
    values = ((kind, known(table, column)) for kind, table in tables if table is not None)
    return tuple(_outline(kind, found, edges, n_latents) for kind, found in values if len(found))


def _outline(kind: str, values: pd.Series[float], edges: tuple[float, ...], n_latents: int) -> Outline:
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), bins=np.asarray(edges))[0]
    return Outline(kind, tuple((counts * n_latents / len(values)).tolist()), float(values.median()))


def extremes(
    store: LatentStore, values: pd.Series[float], write: Callable[[float], str]
) -> tuple[tuple[Extreme, ...], tuple[Extreme, ...]]:
    """The highest and the lowest, among latents of enough pictures where there are such; equal ones by number."""
    enough = values[store.latents.loc[values.index, "n_active"] >= MIN_PICTURES]
    ranked = (enough if len(enough) else values).sort_values(ascending=False, kind="stable")
    n = min(N_EXTREMES, len(ranked) // 2)
    ends = (ranked.head(n), ranked.tail(n)[::-1])
    high, low = (
        tuple(Extreme(latent_ref(store, int(str(latent))), write(float(value))) for latent, value in end.items())
        for end in ends
    )
    return high, low
