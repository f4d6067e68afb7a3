"""What dictionaries that nobody trained reconstruct: the baselines of the SAE's FVU."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64

from index_builder.analysis.random_directions import covariant

_N_IMAGES = 1_024  # that are reconstructed
_LEAST = 64  # of them that are not in a dictionary of images
_CELLS = 2**25  # numbers in memory together: 128 MiB
_SPANNED = 1e-4  # of a unit direction: what is left of one that lies in the span of others


def random_fvu(
    embeddings: Float32[np.ndarray, "n_images d_embed"], mean: Float64[np.ndarray, "d_embed"], n: int, k: int
) -> float:
    """FVU of n random directions with the embeddings' covariance, of which an image takes k at most.

    The covariance is that of every second image, the FVU that of others, spread over the store: directions made of few
    images span these exactly, and would leave nothing of them. NaN where all embeddings are one.
    """
    known, others = embeddings[::2], embeddings[1::2]
    if len(others) == 0:
        return float("nan")
    centre = known[_spread(len(known))].mean(0, dtype=np.float64)  # not that of all, which tells of the others
    away = np.asarray(others[_spread(len(others))] - mean, dtype=np.float32)
    return _fvu(away, covariant(known, centre, n, seed=2).astype(np.float32), k)


def picture_fvu(
    embeddings: Float32[np.ndarray, "n_images d_embed"], mean: Float64[np.ndarray, "d_embed"], n: int, k: int
) -> float:
    """The same of a dictionary of n images' own deviations from the mean, drawn, on images that are not among them.

    The harder baseline: no images are sums of few random directions, but some are alike. NaN where too few are left.
    """
    if len(embeddings) < n:
        return float("nan")
    drawn = np.sort(np.random.default_rng(4).choice(len(embeddings), n, replace=False))
    rows = np.setdiff1d(_spread(len(embeddings)), drawn)
    if len(rows) < _LEAST:
        return float("nan")
    directions = np.asarray(embeddings[drawn] - mean, dtype=np.float32)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), _SPANNED)
    return _fvu(np.asarray(embeddings[rows] - mean, dtype=np.float32), directions, k)


def _spread(n_images: int) -> Int64[np.ndarray, "m"]:
    return np.unique(np.linspace(0, n_images - 1, _N_IMAGES).astype(np.int64))


def _fvu(away: Float32[np.ndarray, "m d_embed"], directions: Float32[np.ndarray, "n d_embed"], k: int) -> float:
    """By orthogonal matching pursuit (Pati et al. 1993).

    Each image takes directions one by one, always the one with the largest positive product with what is left of it,
    and all weights are fitted anew. Those that an image lies farthest along, as Top-K would take, are alike and leave
    twice as much.
    """
    variance = float(np.square(away, dtype=np.float64).sum())
    if not variance > 1e-9 * len(away):
        return float("nan")
    n, k = len(directions), min(k, len(directions))
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
