"""How many of the truly nearest pictures the store's index finds, measured on the store itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from sae_core.store.search import is_exact, nearest_refined

N_NEAREST = 10
_N_QUERIES = 256
_CHUNK = 65_536
_TIE = 1e-6  # of cosines: equal pictures may stand for one another


def nearest_recall(index: Any, embeddings: np.ndarray) -> float:
    """Mean share of the N_NEAREST most similar images that LatentStore.nearest_images finds; 1 for an exact index.

    The queries are _N_QUERIES images spread over the store, each of which is its own nearest; the truth is an
    exhaustive search.
    """
    if is_exact(index):
        return 1.0
    queries = embeddings[np.unique(np.linspace(0, len(embeddings) - 1, _N_QUERIES).astype(np.int64))]
    last = _nth_best(queries, embeddings, min(N_NEAREST, len(embeddings)))
    found = (nearest_refined(index, embeddings, query, N_NEAREST).similarities for query in queries)
    return float(np.mean([(row >= bound - _TIE).mean() for row, bound in zip(found, last, strict=True)]))


def _nth_best(queries: np.ndarray, embeddings: np.ndarray, n: int) -> np.ndarray:
    """The n-th largest cosine of each query."""
    best = np.full((len(queries), n), -np.inf, dtype=np.float32)
    for start in range(0, len(embeddings), _CHUNK):
        both = np.concatenate([best, queries @ np.asarray(embeddings[start : start + _CHUNK]).T], axis=1)
        best = np.partition(both, both.shape[1] - n, axis=1)[:, -n:]
    return np.asarray(best.min(axis=1))
