"""Random unit directions: as the embeddings vary, or evenly from all."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64

_N_COMBINED = 4_096  # images whose deviations from the mean are combined


def covariant(
    embeddings: Float32[np.ndarray, "n_images d_embed"], mean: Float64[np.ndarray, "d_embed"], n: int, seed: int = 1
) -> Float64[np.ndarray, "n d_embed"]:
    """Normal combinations of images' deviations from the mean: their covariance is that of those images.

    Images are spread over the whole store. 0 where all are one. Without a decomposition, whose axes turn with the
    rounding of a sum.
    """
    rows = np.unique(np.linspace(0, len(embeddings) - 1, _N_COMBINED).astype(np.int64))
    away, rng = embeddings[rows] - mean, np.random.default_rng(seed)
    starts = range(0, n, _N_COMBINED)
    parts = [rng.standard_normal((min(_N_COMBINED, n - start), len(rows))) @ away for start in starts]
    return _unit(np.concatenate([np.zeros((0, away.shape[1])), *parts]))


def isotropic(d_embed: int, n: int, seed: int = 3) -> Float64[np.ndarray, "n d_embed"]:
    """Uniform on the sphere."""
    return _unit(np.random.default_rng(seed).standard_normal((n, d_embed)))


def _unit(rows: np.ndarray) -> Float64[np.ndarray, "n d_embed"]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1))
