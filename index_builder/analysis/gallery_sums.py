"""What activation-weighted sums of embeddings say about galleries: centroids, halves, monosemanticity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import sparse

from sae_core.halves import half_of

_PAIRS_KNOWN = 1e-4  # share of a gallery's squared weight that pairs must have


@dataclass(frozen=True)
class GalleryFacts:
    """Of each gallery, whether it is a latent's or another direction's."""

    centroids: Float32[np.ndarray, "n_latents d_embed"]  # unit, from the mean to each gallery's centroid; 0: dead
    halves: Float32[np.ndarray, "2 n_latents d_embed"]  # the same over each half of the images
    monosemanticity: Float64[np.ndarray, "n_latents"]  # NaN below two images
    split_half: Float64[np.ndarray, "n_latents"]  # cosine of the two halves' centroids; NaN where one is empty
    split_half_baseline: float  # mean over pairs of different galleries


class GallerySums:
    """Activation-weighted sums of embeddings by latent, over either half of the images, in float64."""

    def __init__(self, n_latents: int, d_embed: int) -> None:
        self._weighted = np.zeros((2, n_latents, d_embed))
        self._weights = np.zeros((2, n_latents))
        self._squares = np.zeros(n_latents)
        self._n_active = np.zeros(n_latents, dtype=np.int64)

    def add(self, first_id: int, x: Float32[np.ndarray, "n d_embed"], codes: sparse.csr_matrix) -> None:
        """The next images, and their codes `[n, n_latents]` of activations that are 0 or more."""
        n_latents = len(self._squares)
        half = half_of(np.arange(first_id, first_id + len(x)))
        for which in (0, 1):
            mine = codes[half == which]
            latents, values = mine.indices, mine.data
            self._weighted[which] += mine.T @ x[half == which]
            self._weights[which] += np.bincount(latents, values, n_latents)
            self._squares += np.bincount(latents, values.astype(np.float64) ** 2, n_latents)
            self._n_active += np.bincount(latents[values > 0], minlength=n_latents)

    def facts(self, mean: Float64[np.ndarray, "d_embed"]) -> GalleryFacts:
        """Of all that was added; `mean` is that of all embeddings."""
        halves = np.stack([_centred(self._weighted[i], self._weights[i], mean) for i in (0, 1)])
        weights = self._weights.sum(0)
        split = (halves[0] * halves[1]).sum(1)
        split[(self._weights == 0).any(0)] = np.nan
        return GalleryFacts(
            centroids=_centred(self._weighted.sum(0), weights, mean).astype(np.float32),
            halves=halves.astype(np.float32),
            monosemanticity=self._monosemanticity(weights),
            split_half=split,
            split_half_baseline=_cross_mean(halves, split),
        )

    def _monosemanticity(self, weights: np.ndarray) -> np.ndarray:
        """Mean cosine over pairs of different images, each pair weighted by the product of its activations.

        MS of Pach et al. 2025 (arXiv 2504.02821), there with DINOv2's similarities, here with the store's own
        embeddings. The double sum over pairs is |sum a e|^2 - sum a^2 for unit e, over (sum a)^2 - sum a^2. Scaling
        activations to 0 … 1, as the paper does, cancels out.
        """
        total = self._weighted.sum(0)
        pairs = weights**2 - self._squares
        # Where one image has nearly all the weight the difference is rounding, not pairs.
        several = (self._n_active > 1) & (pairs > _PAIRS_KNOWN * self._squares)
        scores = ((total**2).sum(1) - self._squares) / np.where(several, pairs, 1)
        return np.where(several, np.clip(scores, -1, 1), np.nan)


def _centred(weighted: np.ndarray, weights: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Unit vectors from the mean to each weighted mean; 0 where there is no weight, or nothing but the mean."""
    away = weighted / np.where(weights > 0, weights, 1)[:, None] - mean
    away[weights == 0] = 0
    lengths = np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(away / np.where(lengths > 1e-9, lengths, np.inf))


def _cross_mean(halves: np.ndarray, split: np.ndarray) -> float:
    """Mean cosine between the first half of a latent and the second half of another one."""
    known = np.isfinite(split)
    n = int(known.sum())
    if n < 2:
        return float("nan")
    first, second = halves[0][known], halves[1][known]
    return float((first.sum(0) @ second.sum(0) - split[known].sum()) / (n * (n - 1)))
