"""The two halves of a store: what is chosen on one is judged on the other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64


def half_of(image_ids: np.ndarray) -> Int64[np.ndarray, "n"]:
    """Which half of the store an image belongs to, 0 or 1: the top bit of splitmix64 (Steele et al. 2014) of its id."""
    z = (np.asarray(image_ids, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(63)).astype(np.int64)
