"""What a dictionary of random directions reconstructs: the baseline of the SAE's FVU."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64

from index_builder.analysis.random_directions import draw

_N_IMAGES = 2_048  # that are reconstructed
_CELLS = 2**25  # numbers in memory together: 128 MiB
_TINY = 1e-6  # of a direction's squared length: makes equal directions solvable


def random_fvu(
    embeddings: Float32[np.ndarray, "n_images d_embed"], mean: Float64[np.ndarray, "d_embed"], n: int, k: int
) -> float:
    """FVU of n random directions with the embeddings' covariance (random_directions.draw), of which an image keeps k.

    An image keeps the directions with the largest positive <x - mean, g>, as Top-K does; their weights are the least
    squares solution, so the baseline is as good as this choice can be. On images spread over the store. NaN where all
    embeddings are one.
    """
    rows = np.unique(np.linspace(0, len(embeddings) - 1, _N_IMAGES).astype(np.int64))
    away = np.asarray(embeddings[rows] - mean, dtype=np.float32)
    variance = float(np.square(away, dtype=np.float64).sum())
    if not variance > 1e-9 * len(away):
        return float("nan")
    directions, k = draw(embeddings, mean, n, seed=2).astype(np.float32), min(k, n)
    n_together = max(_CELLS // max(n, k * away.shape[1]), 1)
    parts = (away[start : start + n_together] for start in range(0, len(away), n_together))
    return sum(_error(part, directions, k) for part in parts) / variance


def _error(away: Float32[np.ndarray, "m d_embed"], directions: Float32[np.ndarray, "n d_embed"], k: int) -> float:
    """Squared error of the least squares solutions, over these images."""
    values = away @ directions.T
    chosen = np.argpartition(-values, k - 1, axis=1)[:, :k]
    positive = np.take_along_axis(values, chosen, axis=1) > 0
    rows = np.where(positive[:, :, None], directions[chosen], 0)
    products = rows @ rows.transpose(0, 2, 1) + _TINY * np.eye(k, dtype=np.float32)
    weights = np.linalg.solve(products, rows @ away[:, :, None])
    return float(np.square(away - (rows * weights).sum(1), dtype=np.float64).sum())
