"""Pairs of latents that may say the same: close by direction, or with many pictures in common."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from explorer.views.nearest_directions import NearestDirections
from explorer.views.striking import MIN_PICTURES
from sae_core import LatentStore

OVERLAP = 0.5  # Jaccard index of two galleries that share more pictures than they do not
N_PAIRS = 4  # of either kind that are shown


class Pair(NamedTuple):
    """Two latents, the lower number first."""

    latents: tuple[int, int]
    cosine: float  # of their directions
    n_both: int  # pictures in which both are active
    jaccard: float  # that, over pictures in which at least one is
    chance: float  # the same if nothing tied them but how many latents are active in a picture


def closest_pairs(store: LatentStore, found: NearestDirections, n: int = N_PAIRS) -> list[Pair]:
    """The pairs with the highest cosine among latents that were asked and their nearest."""
    order = np.argsort(-found.cosines, kind="stable")
    pairs = (
        tuple(sorted((int(found.latents[i]), int(found.nearest[i])))) for i in order[: 2 * n]
    )  # each twice at most
    some = list(dict.fromkeys(pairs))[:n]
    n_both = [len(np.intersect1d(_gallery(store, a), _gallery(store, b), assume_unique=True)) for a, b in some]
    return _pairs(store, np.array(some), np.array(n_both))


def overlapping_pairs(store: LatentStore, n: int = N_PAIRS) -> tuple[list[Pair], int]:
    """The n pairs with most of their pictures in common, and how many pairs have OVERLAP of them or more.

    Of latents that are active in MIN_PICTURES or more, and that the store names as active together.
    """
    together, sizes = store.coactive_pairs(), store.latents["n_active"].to_numpy()
    enough = np.minimum(sizes[together.first], sizes[together.second]) >= MIN_PICTURES
    ids, n_both = np.stack([together.first, together.second], 1)[enough], together.n_both[enough]
    jaccard = n_both / np.maximum(sizes[ids].sum(1) - n_both, 1)
    best = np.argsort(-jaccard, kind="stable")[:n]
    return _pairs(store, ids[best], n_both[best]), int((jaccard >= OVERLAP).sum())


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
