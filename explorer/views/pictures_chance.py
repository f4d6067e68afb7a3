"""How many pictures would match if nothing but their number in a picture tied latents to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.views.pictures_found import said_mask
from explorer.views.pictures_query import PicturesQuery
from sae_core import LatentStore
from sae_core.statistics import joint_share


@dataclass(frozen=True)
class Chance:
    """The baseline of a count."""

    n: float  # pictures that would match
    n_said: int | None  # of so many that words and label find; None where neither is asked: of all


def by_chance(store: LatentStore, query: PicturesQuery) -> Chance | None:
    """None where nothing can depend on anything: one latent alone, or none, or words that no picture has."""
    said = bool(query.q or query.label)
    if not query.latents or (len(query.latents) == 1 and not said):
        return None
    n_said = int(said_mask(store, query).sum()) if said else None
    if n_said == 0:
        return None
    return Chance(share(store, query) * (store.n_images if n_said is None else n_said), n_said)


def share(store: LatentStore, query: PicturesQuery) -> float:
    """Share of pictures in which the latents would be so, each as often active as it is.

    Where one of any must be: of the pictures that all else finds, less those in which none of them is.
    """
    found = _share(store, query.all_of, query.none_of)
    if query.any_of and not {*query.any_of} & {*query.all_of}:
        found -= _share(store, query.all_of, tuple(dict.fromkeys((*query.none_of, *query.any_of))))
    return max(found, 0.0)


def _share(store: LatentStore, active: tuple[int, ...], others: tuple[int, ...]) -> float:
    """Of pictures in which those are active and the others are not."""
    density = store.latents["density"].to_numpy()
    happens = np.arange(len(active) + len(others)) < len(active)
    return joint_share(density[[*active, *others]], happens, store.count_bond)
