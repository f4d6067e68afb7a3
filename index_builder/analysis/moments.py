"""How terms' cosines vary over latents, without the table of all of them."""

from __future__ import annotations

import numpy as np


def cosine_moments(vectors: np.ndarray, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over `vectors` [n, d] of <vector, term>, for each of `terms` [m, d]: both [m].

    From the vectors' mean and covariance: the variance of <v, t> is t' C t.
    """
    if not len(vectors):
        return np.zeros(len(terms)), np.ones(len(terms))
    mean = vectors.mean(0, dtype=np.float64)
    centred = vectors - mean
    covariance = centred.T @ centred / len(vectors)
    variance = np.einsum("td,td->t", terms @ covariance, terms)
    return terms @ mean, np.sqrt(np.maximum(variance, 1e-12))
