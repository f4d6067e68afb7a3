"""How many of the truly nearest pictures the store's index finds, measured on the store itself."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from sae_core.store.gpu_search import GpuVectors
from sae_core.store.search import refined_of_each

N_NEAREST = 10
_N_QUERIES = 256
_CHUNK = 65_536
_TIE = 1e-6  # of cosines: equal pictures may stand for one another


class Recall:
    """Mean share of the N_NEAREST most similar images that LatentStore.nearest_images finds.

    The queries are _N_QUERIES images spread over the store, each of which is its own nearest; the truth is an
    exhaustive search, made once for all indexes.
    """

    def __init__(self, embeddings: np.ndarray) -> None:
        self._embeddings = embeddings
        self._queries = embeddings[np.unique(np.linspace(0, len(embeddings) - 1, _N_QUERIES).astype(np.int64))]

    def of(self, index: Any) -> float:
        """That of one index, with as many of its lists searched as it says."""
        n = min(N_NEAREST, len(self._embeddings))  # few lists may hold fewer
        found = (near.similarities for near in refined_of_each(index, self._embeddings, self._queries, n))
        hits = [np.count_nonzero(row >= bound - _TIE) for row, bound in zip(found, self._last, strict=True)]
        return float(np.mean(hits) / n)

    @cached_property
    def _last(self) -> np.ndarray:
        """Of each query, the cosine of the last of the truly nearest."""
        n = min(N_NEAREST, len(self._embeddings))
        if on_gpu := GpuVectors.of(self._embeddings):
            # Measured here: the GPU names them, but rounds in its own way.
            pairs = zip(on_gpu.search(self._queries, n), self._queries, strict=True)
            return np.array([(self._embeddings[ids] @ query).min() for ids, query in pairs])
        return _nth_best(self._queries, self._embeddings, n)


def _nth_best(queries: np.ndarray, embeddings: np.ndarray, n: int) -> np.ndarray:
    """The n-th largest cosine of each query."""
    best = np.full((len(queries), n), -np.inf, dtype=np.float32)
    for start in range(0, len(embeddings), _CHUNK):
        both = np.concatenate([best, queries @ np.asarray(embeddings[start : start + _CHUNK]).T], axis=1)
        best = np.partition(both, both.shape[1] - n, axis=1)[:, -n:]
    return np.asarray(best.min(axis=1))
