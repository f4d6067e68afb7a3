"""Postings: the codes by latent. An external counting sort in memory-mapped arrays, so memory is bounded.

Pass one counts each latent's active images; pass two scatters (image id, activation) into the latent's own run, ids
rising; pass three sorts each run by falling activation, stably, so that ties stay in the order of image ids. A run that
is too long for memory is sorted range by range of its activations, strongest first, through a scratch file.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64

from index_builder.arrays import new_array
from sae_core.store import layout

MEMORY = 2 * 2**30  # bytes
_CHUNK = 65_536  # images a pass looks at together
_ENTRY = 40  # bytes that sorting an entry in memory takes: itself, its key, its place, and the sorted copy

_N_KEYS = 2**16


def write_postings(root: Path, n_latents: int, memory: int = MEMORY) -> Int64[np.ndarray, "n_latents+1"]:
    """Writes `postings/` of a store from its `codes/`; returns the offsets. Sorts in `memory` bytes."""
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
    _sort_runs(offsets, ids, values, max(memory // _ENTRY, 1), root / "postings")
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


def _sort_runs(offsets: np.ndarray, ids: np.ndarray, values: np.ndarray, n_held: int, scratch: Path) -> None:
    for low, high in pairwise(offsets.tolist()):
        if high - low > n_held:
            _sort_long_run(ids[low:high], values[low:high], n_held, scratch)
        elif high - low > 1:
            ids[low:high], values[low:high] = strongest_first(ids[low:high], values[low:high])


def strongest_first(ids: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both by falling value; equal ones stay in their order."""
    order = np.argsort(-values, kind="stable")
    return ids[order], values[order]


def _sort_long_run(ids: np.ndarray, values: np.ndarray, n_held: int, scratch: Path) -> None:
    """Sorts a run in place, at most `n_held` entries in memory (more only where one in 65,536 ranges has more)."""
    with TemporaryDirectory(dir=scratch) as folder:
        new_ids, new_values = (
            new_array(Path(folder) / f"{n}.npy", array.dtype, array.shape) for n, array in enumerate((ids, values))
        )
        done = 0
        for low, high in _ranges(values, n_held):
            part_ids, part_values = strongest_first(*_within(ids, values, low, high, n_held))
            rows = slice(done, done + len(part_ids))
            new_ids[rows], new_values[rows] = part_ids, part_values
            done = rows.stop
        for start in range(0, done, n_held):
            rows = slice(start, start + n_held)
            ids[rows], values[rows] = new_ids[rows], new_values[rows]


def _ranges(values: np.ndarray, n_held: int) -> list[tuple[int, int]]:
    """Ranges of keys, strongest first, that cover all activations and hold at most `n_held` of them each."""
    counts = np.zeros(_N_KEYS, dtype=np.int64)
    for start in range(0, len(values), n_held):
        counts += np.bincount(_keys(values[start : start + n_held]), minlength=_N_KEYS)
    ranges, high, held = [], _N_KEYS, 0
    for key in np.flatnonzero(counts)[::-1].tolist():
        if held and held + counts[key] > n_held:
            ranges.append((key + 1, high))
            high, held = key + 1, 0
        held += counts[key]
    return [*ranges, (0, high)]


def _within(ids: np.ndarray, values: np.ndarray, low: int, high: int, n_held: int) -> tuple[np.ndarray, np.ndarray]:
    """Entries whose keys are from `low` to before `high`, in the order of the run."""
    found = []
    for start in range(0, len(values), n_held):
        part = np.array(values[start : start + n_held])
        keys = _keys(part)
        inside = np.flatnonzero((keys >= low) & (keys < high))
        found.append((np.array(ids[start : start + n_held][inside]), part[inside]))
    return np.concatenate([part for part, _ in found]), np.concatenate([part for _, part in found])


def _keys(values: np.ndarray) -> np.ndarray:
    """The upper half of a positive float's bits, which rises with it."""
    return np.ascontiguousarray(values).view(np.uint32) >> 16
