"""Whether latents are duplicates of each other: by their directions, and by the pictures that they share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.views.cards import latent_cards
from explorer.views.distributions import Distribution, Outline, linear_bins
from explorer.views.latent_pairs import OVERLAP, Pair, closest_pairs, overlapping_pairs
from explorer.views.nearest_directions import DUPLICATE, NearestDirections, n_close, nearest_directions
from explorer.views.parts import LatentCard
from explorer.views.report_card import Figure
from explorer.views.striking import MIN_PICTURES
from explorer.wording import count, figure, percent, plural
from sae_core import LatentStore

_N_TILES = 4


@dataclass(frozen=True)
class ShownPair:
    """A pair with its pictures."""

    pair: Pair
    cards: tuple[LatentCard, LatentCard]
    compare_href: str


@dataclass(frozen=True)
class Duplicates:
    """How redundant the latents are."""

    chart: Distribution
    figure: Figure  # for the report card
    overlap: str  # the answer by pictures, in a sentence
    closest: tuple[ShownPair, ...]  # by direction
    overlapping: tuple[ShownPair, ...]  # by shared pictures; none where no two latents are frequent enough


def build_duplicates(store: LatentStore) -> Duplicates | None:
    """None where fewer than two latents are active in some picture."""
    found = nearest_directions(store)
    if found is None:
        return None
    overlapping, n_overlapping = overlapping_pairs(store)
    return Duplicates(
        chart=_chart(store, found),
        figure=_figure(store, found),
        overlap=_overlap(overlapping, n_overlapping),
        closest=_shown(store, closest_pairs(store, found)),
        overlapping=_shown(store, overlapping),
    )


def median(values: np.ndarray) -> float:
    """NaN of none."""
    return float(np.median(values)) if len(values) else float("nan")


def _shown(store: LatentStore, pairs: Iterable[Pair]) -> tuple[ShownPair, ...]:
    shown = []
    for pair in pairs:
        a, b = latent_cards(store, pair.latents, _N_TILES)
        first, second = pair.latents
        shown.append(ShownPair(pair, (a, b), links.compare_url({"a": f"latents:{first}", "b": f"latents:{second}"})))
    return tuple(shown)


def _figure(store: LatentStore, found: NearestDirections) -> Figure:
    return Figure(
        "nearest direction",
        figure(median(found.cosines)),
        f"random directions: {figure(median(found.covariance))}",
        _definition(store),
    )


def _definition(store: LatentStore) -> str:
    return DEFINITIONS["nearest_direction"].format(n=plural(_n_alive(store), "direction"))


def _n_alive(store: LatentStore) -> int:
    return int((store.latents["n_active"] > 0).sum())


def _chart(store: LatentStore, found: NearestDirections) -> Distribution:
    values = pd.Series(found.cosines)
    baseline = median(found.covariance)
    lowest = min(0.0, float(np.floor(10 * values.min()) / 10))
    edges, counts = linear_bins(values, lowest, 1.0)
    random = {"covariance": found.covariance, "isotropic": found.isotropic}
    return Distribution(
        key="nearest_cosine",
        title="Are latents duplicates of each other?",
        summary=_summary(store, found),
        definition=_definition(store),
        axis="cosine with the nearest other direction",
        edges=edges,
        counts=counts,
        outlines=tuple(_outline(kind, drawn, edges, len(values)) for kind, drawn in random.items()),
        log=False,
        baseline=baseline,
        baseline_words=f"random {figure(baseline)}",
        ends=("", ""),
        highest=(),  # pairs say more
        lowest=(),
        sorted_url="",
    )


def _outline(kind: str, values: np.ndarray, edges: tuple[float, ...], n: int) -> Outline:
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), bins=np.asarray(edges))[0]
    return Outline(kind, tuple((counts * n / len(values)).tolist()), median(values))


def _summary(store: LatentStore, found: NearestDirections) -> str:
    n, n_alive = len(found.latents), _n_alive(store)
    drawn = (
        "" if n == n_alive else f"Of {plural(n, 'latent')} drawn from the {count(n_alive)} that are not dead: median"
    )
    return (
        f"{drawn or 'Median'} cosine with the nearest other direction {figure(median(found.cosines))}; in a dictionary "
        f"of as many random directions it is {figure(median(found.covariance))} (with the pictures’ covariance) or "
        f"{figure(median(found.isotropic))} (isotropic). The closest two {'' if n == n_alive else 'of these '}have "
        f"cosine {figure(float(found.cosines.max()))}; {_above(found)}"
    )


def _above(found: NearestDirections) -> str:
    close, n = n_close(found), len(found.latents)
    if not close:
        return f"no latent has another above {DUPLICATE}."
    has = "has" if close == 1 else "have"
    return f"{plural(close, 'latent')} ({percent(close / n)}) {has} another above {DUPLICATE}."


def _overlap(pairs: list[Pair], n: int) -> str:
    if not pairs:
        return f"No two latents of {MIN_PICTURES} pictures or more are active together beyond chance."
    most = pairs[0]
    (a, b), half = most.latents, f"half or more of their pictures (Jaccard index {OVERLAP})"
    said = f"No two share {half}" if not n else f"{plural(n, 'pair')} {'shares' if n == 1 else 'share'} {half}"
    return (
        f"{said}, among latents of {MIN_PICTURES} pictures or more that the store names as active together. The most, "
        f"#{a} and #{b}: {percent(most.jaccard)}; by chance {percent(most.chance)}."
    )
