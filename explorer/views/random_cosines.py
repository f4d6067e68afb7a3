"""How alike random pictures are to CLIP: what a comparison's cosine is held against."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from explorer.recent import RecentArrays
from sae_core import LatentStore

_SAMPLE, _DRAWS = 4_000, 600
_samples = RecentArrays(24 * 2**20)
_recent = RecentArrays(2**18)


class RandomCosines(NamedTuple):
    """Cosines of drawn sides."""

    mean: float
    low: float  # 5 % quantile
    high: float  # 95 % quantile


def random_cosines(store: LatentStore, n_a: int, n_b: int, n_same: int = 0, *, centred: bool = False) -> RandomCosines:
    """Of the means of n_a and n_b random pictures of which n_same are on both sides; `centred` as in a comparison.

    Drawn from at most 4,000 of the store's pictures, always the same draws.
    """
    asked = (store.version, n_a, n_b, n_same, centred)
    (found,) = _recent.get(asked, lambda: (_drawn(store, n_a, n_b, n_same, centred),))
    return RandomCosines(float(found.mean()), *(float(np.quantile(found, share)) for share in (0.05, 0.95)))


def _drawn(store: LatentStore, n_a: int, n_b: int, n_same: int, centred: bool) -> Float[np.ndarray, "n_draws"]:
    sample, rng = _sample(store), np.random.default_rng([n_a, n_b, n_same])
    common = store.mean_embedding * centred
    found = np.zeros(_DRAWS)
    for draw in range(_DRAWS):
        order = rng.permutation(len(sample))  # of a small store both sides may not find room: then they share more
        a, b = order[:n_a], np.roll(order, n_same - n_a)[:n_b]
        left, right = (sample[side].mean(0, dtype=np.float64) - common for side in (a, b))
        norms = float(np.linalg.norm(left) * np.linalg.norm(right))
        found[draw] = left @ right / norms if norms > 1e-9 else 0.0
    return found


def _sample(store: LatentStore) -> Float32[np.ndarray, "n d_embed"]:
    def compute() -> tuple[np.ndarray, ...]:
        n = min(store.n_images, _SAMPLE)
        return (store.embeddings(np.sort(np.random.default_rng(0).choice(store.n_images, n, replace=False))),)

    return _samples.get(store.version, compute)[0]
