"""The images along directions: the strongest of a stream, so many for each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64

from index_builder.analysis.postings import strongest_first

_CHUNK = 16_384  # images


def strongest(
    embeddings: Float32[np.ndarray, "n_images d_embed"],
    directions: Float64[np.ndarray, "m d_embed"],
    mean: Float64[np.ndarray, "d_embed"],
    wanted: Int64[np.ndarray, "m"],
) -> list[Int64[np.ndarray, "n"]]:
    """For each direction g the images of the `wanted` largest <x - mean, g>, strongest first.

    Only positive values count; of equal ones the first image. Holds no more than about twice what is wanted.
    """
    tables = [_Largest(n) for n in wanted.tolist()]
    onto, shift = directions.T.astype(np.float32), (directions @ mean).astype(np.float32)
    for start in range(0, len(embeddings), _CHUNK):
        values = np.ascontiguousarray((embeddings[start : start + _CHUNK] @ onto - shift).T)
        for table, row in zip(tables, values, strict=True):
            table.add(start, row)
    return [table.result() for table in tables]


class _Largest:
    """Whose are the n largest positive values of a stream."""

    def __init__(self, n: int) -> None:
        self._n, self._floor, self._held = n, np.float32(0), 0
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, first_id: int, values: Float32[np.ndarray, "n"]) -> None:
        rows = np.flatnonzero(values > self._floor)
        self._parts.append((rows + first_id, values[rows]))
        self._held += len(rows)
        if self._held > 2 * self._n:
            self._cut()

    def result(self) -> Int64[np.ndarray, "n"]:
        self._cut()
        return self._parts[0][0]

    def _cut(self) -> None:
        ids, values = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        ids, values = (part[: self._n] for part in strongest_first(ids, values))
        self._parts, self._held = [(ids, values)], len(ids)
        if self._held == self._n:
            self._floor = values[-1]  # what is equal comes later in the stream, and loses
