"""How many latents are active on both sides of a comparison, and by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.views.resolved import Resolved
from explorer.views.sides import active_latents
from sae_core import LatentStore


@dataclass(frozen=True)
class Overlap:
    """How many latents are active on both sides, and by chance."""

    n_a: int
    n_b: int
    n_both: int
    by_latents: float  # expected, if both sides drew their latents from those that are not dead (hypergeometric)
    by_pictures: float  # expected of as many random pictures on either side, latents being as dense as they are


def overlap_of(store: LatentStore, a: Resolved, b: Resolved) -> Overlap:
    """Of two choices of pictures, which may have some in common."""
    left, right = active_latents(a), active_latents(b)
    n_alive = max(int((store.latents["n_active"] > 0).sum()), 1)
    sizes = len(a.embeddings), len(b.embeddings), len(np.intersect1d(a.image_ids, b.image_ids))
    return Overlap(
        n_a=len(left),
        n_b=len(right),
        n_both=len(np.intersect1d(left, right)),
        by_latents=len(left) * len(right) / n_alive,
        by_pictures=_shared_by_chance(store.latents["density"].to_numpy(), *sizes),
    )


def _shared_by_chance(density: np.ndarray, n_a: int, n_b: int, n_same: int) -> float:
    """Latents that are active on both sides, expected of random pictures of which n_same are on both."""
    silent = 1 - density
    return float((1 - silent**n_a - silent**n_b + silent ** (n_a + n_b - n_same)).sum())
