"""Which latents are active together more often than chance would have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from index_builder.analysis.profiles import galleries
from sae_core.statistics import lift, poisson_low
from sae_core.store import layout

_CHUNK = 65_536  # images of a gallery counted together


def write_coactivity(root: Path, n_latents: int) -> None:
    """Writes `latents/coactive.npy` and its counts: for each latent those with the largest lift, by its lower bound.

    Lift is P(both) / (P(a) P(b)). Ranked by the lower 95 % bound of the count, so that one shared picture of two rare
    latents does not beat a thousand; only lifts whose bound is above 1 are kept. Counted gallery by gallery: memory
    holds one row of the latent x latent table.
    """
    indices = np.load(root / layout.CODE_INDICES, mmap_mode="r")
    activations = np.load(root / layout.CODE_ACTIVATIONS, mmap_mode="r")
    n_active = np.diff(np.load(root / layout.POSTING_OFFSETS))
    found = np.full((n_latents, layout.N_COACTIVE), -1, dtype=layout.DTYPES[layout.COACTIVE])
    counts = np.zeros((n_latents, layout.N_COACTIVE), dtype=layout.DTYPES[layout.COACTIVE_COUNTS])
    for latent, (ids, _) in enumerate(galleries(root)):
        n_both = np.zeros(n_latents, dtype=np.int64)
        in_order = np.sort(ids)  # the file's order, so that pages are read once
        for start in range(0, len(ids), _CHUNK):
            rows = in_order[start : start + _CHUNK]
            n_both += np.bincount(indices[rows][activations[rows] > 0], minlength=n_latents)
        n_both[latent] = 0
        best = most_coactive(n_both, int(n_active[latent]), n_active, len(indices))
        found[latent, : len(best)], counts[latent, : len(best)] = best, n_both[best]
    np.save(root / layout.COACTIVE, found)
    np.save(root / layout.COACTIVE_COUNTS, counts)


def most_coactive(n_both: np.ndarray, n_own: int, n_active: np.ndarray, n_images: int) -> np.ndarray:
    """Latents by falling lower bound of the lift, those above 1 only; ties by latent."""
    together = np.flatnonzero(n_both)
    low = lift(poisson_low(n_both[together]), np.asarray(n_own), n_active[together], n_images)
    order = np.argsort(-low, kind="stable")[: layout.N_COACTIVE]
    return together[order[low[order] > 1]]
