"""Whether latents are duplicates of each other: by their directions, and by the pictures that they share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.views.cards import latent_cards
from explorer.views.distributions import Distribution, Outline, linear_bins
from explorer.views.nearest_directions import NearestDirections, nearest_directions
from explorer.views.parts import LatentCard
from explorer.views.report_card import Figure
from explorer.views.striking import MIN_PICTURES
from explorer.wording import count, figure, percent, plural
from sae_core import LatentStore

DUPLICATE = 0.9  # cosine of two directions that say the same
OVERLAP = 0.5  # Jaccard index of two galleries that share more pictures than they do not
N_PAIRS = 4  # of either kind that are shown
_N_TILES = 4


class Pair(NamedTuple):
    """Two latents, the lower number first."""

    latents: tuple[int, int]
    cosine: float  # of their directions
    n_both: int  # pictures in which both are active
    jaccard: float  # that, over pictures in which at least one is
    chance: float  # the same if nothing tied them but how many latents are active in a picture


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
    overlapping = overlapping_pairs(store)
    return Duplicates(
        chart=_chart(store, found),
        figure=_figure(store, found),
        overlap=_overlap(store, overlapping),
        closest=_shown(store, closest_pairs(store, found)),
        overlapping=_shown(store, overlapping[:N_PAIRS]),
    )


def closest_pairs(store: LatentStore, found: NearestDirections, n: int = N_PAIRS) -> list[Pair]:
    """The pairs with the highest cosine among latents that were asked and their nearest."""
    order = np.argsort(-found.cosines, kind="stable")
    pairs = (
        tuple(sorted((int(found.latents[i]), int(found.nearest[i])))) for i in order[: 2 * n]
    )  # each twice at most
    some = list(dict.fromkeys(pairs))[:n]
    n_both = [len(np.intersect1d(_gallery(store, a), _gallery(store, b), assume_unique=True)) for a, b in some]
    return _pairs(store, np.array(some), np.array(n_both))


def overlapping_pairs(store: LatentStore, at_least: int = N_PAIRS) -> list[Pair]:
    """Pairs with OVERLAP of their pictures in common or more, and the first `at_least` in any case; the most first.

    Of latents that are active in MIN_PICTURES or more, and that the store names as active together.
    """
    together, sizes = store.coactive_pairs(), store.latents["n_active"].to_numpy()
    enough = np.minimum(sizes[together.first], sizes[together.second]) >= MIN_PICTURES
    ids, n_both = np.stack([together.first, together.second], 1)[enough], together.n_both[enough]
    jaccard = n_both / np.maximum(sizes[ids].sum(1) - n_both, 1)
    n = max(int((jaccard >= OVERLAP).sum()), at_least)
    best = np.argsort(-jaccard, kind="stable")[:n]
    return _pairs(store, ids[best], n_both[best])


def median(values: np.ndarray) -> float:
    """NaN of none."""
    return float(np.median(values)) if len(values) else float("nan")


def n_close(found: NearestDirections) -> int:
    """How many of the latents that were asked have another one closer than DUPLICATE."""
    return int((found.cosines > DUPLICATE).sum())


def _pairs(store: LatentStore, ids: np.ndarray, n_both: np.ndarray) -> list[Pair]:
    if not len(ids):
        return []
    sizes, (first, second) = store.latents["n_active"].to_numpy(), ids.T
    directions = store.directions
    cosines = (directions[first] * directions[second]).sum(1)
    jaccard, chance = (
        shared / np.maximum(sizes[first] + sizes[second] - shared, 1)
        for shared in (n_both, store.together_by_chance(first, second))
    )
    rows = zip(ids.tolist(), cosines.tolist(), n_both.tolist(), jaccard.tolist(), chance.tolist(), strict=True)
    return [Pair((a, b), *figures) for (a, b), *figures in rows]


def _gallery(store: LatentStore, latent: int) -> np.ndarray:
    return store.gallery(latent, 0, store.gallery_size(latent)).image_ids


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


def _overlap(store: LatentStore, pairs: list[Pair]) -> str:
    if not pairs:
        return f"No two latents of {MIN_PICTURES} pictures or more are active together beyond chance."
    most, n = pairs[0], sum(pair.jaccard >= OVERLAP for pair in pairs)
    (a, b), half = most.latents, f"half or more of their pictures (Jaccard index {OVERLAP})"
    said = f"No two share {half}" if not n else f"{plural(n, 'pair')} {'shares' if n == 1 else 'share'} {half}"
    return (
        f"{said}, among latents of {MIN_PICTURES} pictures or more that the store names as active together. The most, "
        f"#{a} and #{b}: {percent(most.jaccard)}; by chance {percent(most.chance)}."
    )
