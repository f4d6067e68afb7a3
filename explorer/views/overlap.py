"""How many latents are active on both sides of a comparison, and by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import gammaln

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
    by_pictures: float  # expected of as many random pictures of the store on either side


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
        by_pictures=_shared_by_chance(store.latents["n_active"].to_numpy(), store.n_images, *sizes),
    )


def _shared_by_chance(
    n_active: Int64[np.ndarray, "n_latents"], n_images: int, n_a: int, n_b: int, n_same: int
) -> float:
    """Latents that are active on both sides, expected of random pictures of which n_same are on both."""
    in_neither = _silent(n_active, n_images, n_a + n_b - n_same)
    return float((1 - _silent(n_active, n_images, n_a) - _silent(n_active, n_images, n_b) + in_neither).sum())


def _silent(n_active: Int64[np.ndarray, "n_latents"], n_images: int, n: int) -> Float64[np.ndarray, "n_latents"]:
    """The chance that a latent is active in none of n pictures, of which none is drawn twice (hypergeometric)."""
    n = min(n, n_images)  # an upload is one more than the store has
    others = n_images - n_active
    left = np.maximum(others - n, 0)
    ways = gammaln(others + 1.0) - gammaln(left + 1.0) + gammaln(n_images - n + 1.0) - gammaln(n_images + 1.0)
    return np.where(others >= n, np.exp(ways), 0.0)
