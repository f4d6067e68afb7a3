"""Near misses: for each latent the images with the highest pre-activation among those where it is not active.

Exact: every pre-activation of the store is looked at once. (The same as an exhaustive FAISS inner-product search with
the latent's encoder column, its gallery excluded; but one pass serves all latents.)
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int32, Int64

from sae_core.store import layout

_FIRST_STEP = 64


class NearMissTable:
    """The best so far of each latent, highest first; ties by image id; -1 where there are fewer."""

    def __init__(self, n_latents: int, n: int = layout.N_NEAR_MISSES) -> None:
        self.image_ids: Int64[np.ndarray, "n_latents n"] = np.full((n_latents, n), -1, dtype=np.int64)
        self.pre_activations: Float32[np.ndarray, "n_latents n"] = np.zeros((n_latents, n), dtype=np.float32)

    def add(
        self,
        first_id: int,
        pre_activations: Float32[np.ndarray, "m n_latents"],
        kept: Int32[np.ndarray, "m k"],
        activations: Float32[np.ndarray, "m k"],
    ) -> None:
        """Takes the next images; overwrites `pre_activations` where the latent is active.

        What Top-K kept at or below 0 is not active, but no near miss either: only values above 0 count. Where an SAE
        has thresholds, empty places of a code name latents that may well be near misses.
        """
        rows, places = np.nonzero(activations > 0)
        pre_activations[rows, kept[rows, places]] = 0
        # Only what beats the last of the best can enter (later images lose ties): few, once some images were seen. So
        # the first images come in small steps.
        start = 0
        while start < len(pre_activations):
            step = pre_activations[start : start + max(_FIRST_STEP, first_id + start)]
            rows, latents = np.nonzero(step > self.pre_activations[:, -1])
            self._merge(latents, rows + first_id + start, step[rows, latents])
            start += len(step)

    def _merge(self, latents: np.ndarray, ids: np.ndarray, values: np.ndarray) -> None:
        there = self.image_ids >= 0
        latents = np.concatenate([np.nonzero(there)[0], latents])
        ids = np.concatenate([self.image_ids[there], ids])
        values = np.concatenate([self.pre_activations[there], values])
        order = np.lexsort((ids, -values, latents))
        latents, ids, values = latents[order], ids[order], values[order]
        starts = np.searchsorted(latents, np.arange(len(self.image_ids)))
        rank = np.arange(len(latents)) - starts[latents]
        best = rank < self.image_ids.shape[1]
        self.image_ids[latents[best], rank[best]] = ids[best]
        self.pre_activations[latents[best], rank[best]] = values[best]
