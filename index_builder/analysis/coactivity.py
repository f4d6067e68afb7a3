"""Which latents are active together more often than chance would have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import gammainc

from index_builder.analysis.profiles import galleries
from sae_core.statistics import lift, poisson_low
from sae_core.store import layout

_CHUNK = 65_536  # images of a gallery counted together
_MIN_BOTH = 3
_ALPHA = 0.05


def write_coactivity(root: Path, n_latents: int) -> None:
    """Writes `latents/coactive.npy` and its counts: for each latent those with the largest lift, by its lower bound.

    Chance is P(a) P(b) here. What the store answers is corrected for how many latents an image has (`count_bond`);
    under Top-K that product is too high, so a few pairs too many are left out, and none is let in. Ranked by the lower
    95 % bound of the count, so that one shared picture of two rare latents does not beat a thousand. All other latents
    are looked at, so some stand out by chance: only pairs are kept that share at least _MIN_BOTH images and would share
    as many by chance (Poisson) with a probability below 5 % over all n_latents - 1 of them together (Bonferroni).
    Counted gallery by gallery: memory holds one row of the latent x latent table.
    """
    n_active = np.diff(np.load(root / layout.POSTING_OFFSETS))
    found = np.full((n_latents, layout.N_COACTIVE), -1, dtype=layout.DTYPES[layout.COACTIVE])
    counts = np.zeros((n_latents, layout.N_COACTIVE), dtype=layout.DTYPES[layout.COACTIVE_COUNTS])
    count = CoactivityCounter(root, n_latents)
    for latent, (ids, _) in enumerate(galleries(root)):
        n_both = count(latent, ids)
        best = most_coactive(n_both, int(n_active[latent]), n_active, count.n_images)
        found[latent, : len(best)], counts[latent, : len(best)] = best, n_both[best]
    np.save(root / layout.COACTIVE, found)
    np.save(root / layout.COACTIVE_COUNTS, counts)


class CoactivityCounter:
    """Counts, for the images of one gallery, in how many each other latent is active."""

    def __init__(self, root: Path, n_latents: int) -> None:
        self._indices = np.load(root / layout.CODE_INDICES, mmap_mode="r")
        self._activations = np.load(root / layout.CODE_ACTIVATIONS, mmap_mode="r")
        self.n_images, self._n_latents = len(self._indices), n_latents

    def __call__(self, latent: int, image_ids: np.ndarray) -> np.ndarray:
        """Counts `[n_latents]`; 0 for the latent itself."""
        n_both = np.zeros(self._n_latents, dtype=np.int64)
        in_order = np.sort(image_ids)  # the file's order, so that pages are read once
        for start in range(0, len(in_order), _CHUNK):
            rows = in_order[start : start + _CHUNK]
            n_both += np.bincount(self._indices[rows][self._activations[rows] > 0], minlength=self._n_latents)
        n_both[latent] = 0
        return n_both


def most_coactive(n_both: np.ndarray, n_own: int, n_active: np.ndarray, n_images: int) -> np.ndarray:
    """Latents by falling lower bound of the lift, those beyond chance only; ties by latent."""
    expected = n_own * n_active / n_images
    chance = np.where(n_both > 0, gammainc(np.maximum(n_both, 1), expected), 1.0)  # P(Poisson(expected) >= n_both)
    together = np.flatnonzero((n_both >= _MIN_BOTH) & (chance < _ALPHA / max(len(n_both) - 1, 1)))
    low = lift(poisson_low(n_both[together]), np.asarray(n_own), n_active[together], n_images)
    order = np.argsort(-low, kind="stable")[: layout.N_COACTIVE]
    return together[order]
