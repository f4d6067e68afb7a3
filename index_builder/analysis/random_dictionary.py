"""What a dictionary of random directions reconstructs: the baseline of the SAE's FVU."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64

from index_builder.analysis.random_directions import covariant

_N_IMAGES = 1_024  # that are reconstructed
_CELLS = 2**25  # numbers in memory together: 128 MiB
_SPANNED = 1e-4  # of a unit direction: what is left of one that lies in the span of others


def random_fvu(
    embeddings: Float32[np.ndarray, "n_images d_embed"], mean: Float64[np.ndarray, "d_embed"], n: int, k: int
) -> float:
    """FVU of n random directions with the embeddings' covariance, of which an image takes k at most.

    Each image takes them one by one, always the one with the largest positive product with what is left of it, and all
    weights are fitted anew (orthogonal matching pursuit, Pati et al. 1993). Those that an image lies farthest along, as
    Top-K would take, are alike and leave twice as much. On images spread over the store. NaN where all embeddings are
    one.
    """
    rows = np.unique(np.linspace(0, len(embeddings) - 1, _N_IMAGES).astype(np.int64))
    away = np.asarray(embeddings[rows] - mean, dtype=np.float32)
    variance = float(np.square(away, dtype=np.float64).sum())
    if not variance > 1e-9 * len(away):
        return float("nan")
    directions, k = covariant(embeddings, mean, n, seed=2).astype(np.float32), min(k, n)
    n_together = max(_CELLS // max(n, k * away.shape[1]), 1)
    parts = (away[start : start + n_together] for start in range(0, len(away), n_together))
    return sum(_error(part, directions, k) for part in parts) / variance


def _error(away: Float32[np.ndarray, "m d_embed"], directions: Float32[np.ndarray, "n d_embed"], k: int) -> float:
    """Squared error that matching pursuit leaves, over these images."""
    left, basis = away.copy(), np.zeros((len(away), k, away.shape[1]), dtype=np.float32)
    for step in range(k):
        products = left @ directions.T
        best = products.argmax(1)
        new = np.where(products.max(1, keepdims=True) > 0, directions[best], 0)
        for _ in range(2):  # orthogonal to those before; twice, for what rounding leaves
            new = new - np.einsum("mjd,mj->md", basis[:, :step], np.einsum("mjd,md->mj", basis[:, :step], new))
        lengths = np.linalg.norm(new, axis=1, keepdims=True)
        basis[:, step] = np.where(lengths > _SPANNED, new / np.maximum(lengths, _SPANNED), 0)
        left = left - basis[:, step] * (basis[:, step] * left).sum(1, keepdims=True)
    return float(np.square(left, dtype=np.float64).sum())
