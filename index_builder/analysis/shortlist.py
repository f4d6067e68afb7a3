"""The words that are closest to a gallery: those whose AUC is worth computing."""

from __future__ import annotations

import numpy as np

from index_builder.analysis.moments import cosine_moments

_CANDIDATES = 24  # terms of the shortlist
_CELLS = 2**23  # cosines of latents and terms in memory together, in float64


class Shortlist:
    """For each latent the terms whose cosine with its centroid is highest for that term.

    Cosines of a term are standardised over all latents: some terms are close to everything. Those of neighbouring
    latents are computed together, so it is best asked in order.
    """

    def __init__(self, centroids: np.ndarray, terms: np.ndarray) -> None:
        self._centroids, self._terms = centroids, terms
        self._mean, self._spread = cosine_moments(centroids[np.abs(centroids).sum(1) > 0], terms)
        self._together = max(_CELLS // max(len(terms), 1), 1)
        self._block, self._z = -1, np.zeros((0, len(terms)))

    def of(self, latent: int, without: np.ndarray) -> np.ndarray:
        """At most _CANDIDATES terms, best first, none of those in the mask `without`."""
        z = np.where(without, -np.inf, self._standardised(latent))
        n = min(_CANDIDATES, int((~without).sum()))
        best = np.argpartition(-z, max(n - 1, 0))[:n]
        return best[np.argsort(-z[best], kind="stable")]

    def _standardised(self, latent: int) -> np.ndarray:
        block, row = divmod(latent, self._together)
        if block != self._block:
            centroids = self._centroids[block * self._together :][: self._together]
            self._block, self._z = block, (centroids @ self._terms.T - self._mean) / self._spread
        found: np.ndarray = self._z[row]
        return found
