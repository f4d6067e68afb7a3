"""Postings: the codes by latent. A counting sort over shards, in memory-mapped arrays, so memory stays small.

Pass one counts each latent's active images; pass two scatters (image id, activation) into the latent's own run, ids
rising; pass three sorts each run by falling activation, stably, so that ties stay in the order of image ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64

from index_builder.arrays import new_array
from sae_core.store import layout

_CHUNK = 65_536  # images a pass looks at together


def write_postings(root: Path, n_latents: int) -> Int64[np.ndarray, "n_latents+1"]:
    """Writes `postings/` of a store from its `codes/`; returns the offsets."""
    indices = np.load(root / layout.CODE_INDICES, mmap_mode="r")
    activations = np.load(root / layout.CODE_ACTIVATIONS, mmap_mode="r")
    (root / layout.POSTING_OFFSETS).parent.mkdir(exist_ok=True)
    chunks = range(0, len(indices), _CHUNK)
    counts = sum_counts(
        (_active_counts(indices[i : i + _CHUNK], activations[i : i + _CHUNK], n_latents) for i in chunks), n_latents
    )
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    np.save(root / layout.POSTING_OFFSETS, offsets)
    ids = _new(root / layout.POSTING_IMAGE_IDS, int(offsets[-1]), layout.DTYPES[layout.POSTING_IMAGE_IDS])
    values = _new(root / layout.POSTING_ACTIVATIONS, int(offsets[-1]), layout.DTYPES[layout.POSTING_ACTIVATIONS])
    cursor = offsets[:-1].copy()
    for start in chunks:
        _scatter(indices[start : start + _CHUNK], activations[start : start + _CHUNK], start, cursor, ids, values)
    _sort_runs(offsets, ids, values)
    return offsets


def sum_counts(parts: Iterable[np.ndarray], n_latents: int) -> Int64[np.ndarray, "n_latents"]:
    """Adds up counts per latent."""
    total = np.zeros(n_latents, dtype=np.int64)
    for part in parts:
        total += part
    return total


def _active_counts(indices: Int32[np.ndarray, "n k"], activations: Float32[np.ndarray, "n k"], n: int) -> np.ndarray:
    return np.bincount(indices[activations > 0], minlength=n)


def _new(path: Path, n: int, dtype: np.dtype[Any]) -> np.ndarray:
    if n == 0:  # nothing is active anywhere; an empty file cannot be mapped for writing
        np.save(path, np.zeros(0, dtype=dtype))
        return np.zeros(0, dtype=dtype)
    return new_array(path, dtype, (n,))


def _scatter(
    indices: np.ndarray, activations: np.ndarray, first_id: int, cursor: np.ndarray, ids: np.ndarray, values: np.ndarray
) -> None:
    rows, columns = np.nonzero(activations > 0)
    latents = indices[rows, columns]
    order = np.argsort(latents, kind="stable")  # rows stay in order, so ids rise within a latent
    latents = latents[order]
    present, first, n_each = np.unique(latents, return_index=True, return_counts=True)
    rank = np.arange(len(latents)) - np.repeat(first, n_each)
    position = cursor[latents] + rank
    ids[position] = rows[order] + first_id
    values[position] = activations[rows, columns][order]
    cursor[present] += n_each


def _sort_runs(offsets: np.ndarray, ids: np.ndarray, values: np.ndarray) -> None:
    for low, high in pairwise(offsets.tolist()):
        if high - low > 1:
            order = np.argsort(-values[low:high], kind="stable")
            ids[low:high] = ids[low:high][order]
            values[low:high] = values[low:high][order]
