"""A map of the directions: where each latent lies in two dimensions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from openTSNE import TSNE

_PERPLEXITY = 30
_MANY = 10_000  # from here on interpolation is faster than Barnes-Hut


def positions(directions: Float32[np.ndarray, "n_latents d_embed"]) -> Float32[np.ndarray, "n_latents 2"]:
    """t-SNE (van der Maaten & Hinton 2008; openTSNE) by cosine, started from the principal components.

    The same directions give the same map, on any number of cores. Few latents are placed by the components alone.
    """
    n = len(directions)
    if n < 4 * _PERPLEXITY:
        return _components(directions)
    method = "fft" if n > _MANY else "bh"
    neighbours = "exact" if n <= _MANY else "auto"
    tsne = TSNE(
        perplexity=_PERPLEXITY,
        metric="cosine",
        initialization="pca",
        neighbors=neighbours,
        negative_gradient_method=method,
        random_state=0,
    )
    return np.asarray(tsne.fit(directions), dtype=np.float32)


def _components(directions: np.ndarray) -> np.ndarray:
    """The first two principal components; signs fixed so that they do not depend on the solver."""
    centred = directions.astype(np.float64) - directions.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(directions), 2))
    n = min(2, len(s))
    places[:, :n] = u[:, :n] * s[:n]
    places *= np.where(places[np.abs(places).argmax(0), [0, 1]] < 0, -1, 1)
    return places.astype(np.float32)
