"""The images along directions: the strongest of a stream, so many for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64, Int64

from index_builder.analysis.postings import strongest_first

_CHUNK = 16_384  # images


def strongest(
    embeddings: Float32[np.ndarray, "n_images d_embed"],
    directions: Float64[np.ndarray, "m d_embed"],
    mean: Float64[np.ndarray, "d_embed"],
    wanted: Int64[np.ndarray, "m"],
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each direction g the images of the `wanted` largest <x - mean, g>, strongest first, and their activations.

    An activation is how far the value exceeds that of the first image left out, as of a unit with a bias. Only positive
    values count; of equal ones the first image. Holds no more than about twice what is wanted.
    """
    tables = [_Largest(n) for n in wanted.tolist()]
    onto, shift = directions.T.astype(np.float32), (directions @ mean).astype(np.float32)
    for start in range(0, len(embeddings), _CHUNK):
        values = np.ascontiguousarray((embeddings[start : start + _CHUNK] @ onto - shift).T)
        for table, row in zip(tables, values, strict=True):
            table.add(start, row)
    return [table.result() for table in tables]


class _Largest:
    """The n largest positive values of a stream and whose they are; one more is kept, as the threshold."""

    def __init__(self, n: int) -> None:
        self._n, self._floor, self._held = n, np.float32(0), 0
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, first_id: int, values: Float32[np.ndarray, "n"]) -> None:
        rows = np.flatnonzero(values > self._floor)
        self._parts.append((rows + first_id, values[rows]))
        self._held += len(rows)
        if self._held > 2 * self._n + 1:
            self._cut()

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        self._cut()
        ids, values = self._parts[0]
        threshold = values[self._n] if len(values) > self._n else np.float32(0)
        return ids[: self._n], values[: self._n] - threshold

    def _cut(self) -> None:
        ids, values = (np.concatenate(parts) for parts in _columns(self._parts))
        ids, values = (part[: self._n + 1] for part in strongest_first(ids, values))
        self._parts, self._held = [(ids, values)], len(ids)
        if self._held > self._n:
            self._floor = values[-1]  # what is equal comes later in the stream, and loses


def _columns(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [ids for ids, _ in parts], [values for _, values in parts]
