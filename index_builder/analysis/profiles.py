"""Histograms of activations and labels by decile, one gallery in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from index_builder.arrays import new_array
from sae_core.store import layout


def galleries(root: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Image ids and activations of every latent, strongest first."""
    ids = np.load(root / layout.POSTING_IMAGE_IDS, mmap_mode="r")
    activations = np.load(root / layout.POSTING_ACTIVATIONS, mmap_mode="r")
    for low, high in pairwise(np.load(root / layout.POSTING_OFFSETS).tolist()):
        yield np.asarray(ids[low:high]), np.asarray(activations[low:high])


def write_profiles(root: Path) -> None:
    """Writes `latents/histograms.npy`, `latents/label_codes.npy` and `latents/label_counts.npy`."""
    n_latents = len(np.load(root / layout.POSTING_OFFSETS, mmap_mode="r")) - 1
    labels = np.load(root / layout.IMAGE_LABELS, mmap_mode="r")
    histograms = _new(root, layout.HISTOGRAMS, (n_latents, layout.N_BINS))
    codes = _new(root, layout.LABEL_CODES, (n_latents, layout.N_TOP_LABELS))
    counts = _new(root, layout.LABEL_COUNTS, (n_latents, layout.N_TOP_LABELS, layout.N_DECILES))
    codes[:] = -1
    for latent, (ids, activations) in enumerate(galleries(root)):
        if len(ids):
            histograms[latent] = histogram(activations)
            top, by_decile = label_deciles(labels[ids])
            codes[latent, : len(top)], counts[latent, : len(top)] = top, by_decile


def histogram(activations: np.ndarray) -> np.ndarray:
    """Counts in N_BINS bins of equal width from 0 to the strongest."""
    return np.histogram(activations, bins=layout.N_BINS, range=(0.0, float(activations[0])))[0]


def label_deciles(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The most common labels of a gallery, strongest image first, and their images by decile (column 0: weakest).

    Ties go to the smaller code; images without a label (-1) count nowhere.
    """
    n = len(labels)
    # Rank r belongs to the decile whose range holds it, as LatentStore.decile_range cuts them.
    bounds = n * np.arange(1, layout.N_DECILES) // layout.N_DECILES
    decile = layout.N_DECILES - 1 - np.searchsorted(bounds, np.arange(n), side="right")
    known = labels >= 0
    found, inverse, counts = np.unique(labels[known], return_inverse=True, return_counts=True)
    table = np.zeros((len(found), layout.N_DECILES), dtype=np.int64)
    np.add.at(table, (inverse, decile[known]), 1)
    top = np.argsort(-counts, kind="stable")[: layout.N_TOP_LABELS]
    return found[top], table[top]


def _new(root: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    return new_array(root / name, layout.DTYPES[name], shape)
