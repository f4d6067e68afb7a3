"""One pass over embeddings and codes: fidelity, gallery centroids, monosemanticity, split halves, near misses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from jaxtyping import Float32, Float64
from scipy import sparse

from index_builder.analysis.label_moments import MomentSums
from index_builder.analysis.near_misses import NearMissTable
from sae_core.halves import half_of
from sae_core.metrics import Fidelity, FidelityMeter, random_pair_cosine
from sae_core.sae.topk import SparseCodes, TopKSAE
from sae_core.store import layout

_N_PAIRS = 4_096
_PAIRS_KNOWN = 1e-4  # share of a gallery's squared weight that pairs must have
_CELLS = 2**25  # pre-activations in memory together: 128 MiB


@dataclass(frozen=True)
class EmbeddingFacts:
    """What the pass finds."""

    n_images: int
    fidelity: Fidelity
    mean: Float64[np.ndarray, "d_embed"]  # of all embeddings
    centroids: Float32[np.ndarray, "n_latents d_embed"]  # unit, from the mean to each gallery's centroid; 0: dead
    halves: Float32[np.ndarray, "2 n_latents d_embed"]  # the same over each half of the images
    monosemanticity: Float64[np.ndarray, "n_latents"]  # NaN below two images
    image_similarity: float  # mean cosine of two images: the baseline of monosemanticity
    split_half: Float64[np.ndarray, "n_latents"]  # cosine of the two halves' centroids; NaN where one is empty
    split_half_baseline: float


def embedding_pass(root: Path, sae: TopKSAE) -> EmbeddingFacts:
    """Streams over the store's images; writes `moments/` and `latents/near_misses.npy` with its pre-activations."""
    embeddings, indices, activations = (
        np.load(root / name, mmap_mode="r")
        for name in (layout.EMBEDDINGS, layout.CODE_INDICES, layout.CODE_ACTIVATIONS)
    )
    labels = np.load(root / layout.IMAGE_LABELS, mmap_mode="r")
    moments = MomentSums(sae.config.d_embed, pq.read_metadata(root / layout.LABELS).num_rows)
    sums = _Sums(sae.config.n_latents, sae.config.d_embed)
    misses, meter = NearMissTable(sae.config.n_latents), FidelityMeter()
    chunk = max(_CELLS // sae.config.n_latents, 256)
    for start in range(0, len(embeddings), chunk):
        rows = slice(start, start + chunk)
        x, kept, values = (np.array(array[rows]) for array in (embeddings, indices, activations))
        sums.add(start, x, kept, values)
        moments.add(start, x, np.array(labels[rows]))
        with torch.no_grad():
            codes = SparseCodes(torch.from_numpy(kept).long(), torch.from_numpy(values))
            meter.add(torch.from_numpy(x), sae.decode(codes), codes.activations)
            misses.add(start, sae.pre_activations(torch.from_numpy(x)).numpy(), kept, values)
    moments.save(root)
    np.save(root / layout.NEAR_MISSES, misses.image_ids)
    np.save(root / layout.NEAR_MISS_PRE_ACTIVATIONS, misses.pre_activations)
    fidelity = meter.result(_random_pairs(embeddings, indices, activations, sae))
    return sums.facts(fidelity)


class _Sums:
    """Activation-weighted sums of embeddings by latent, over either half of the images."""

    def __init__(self, n_latents: int, d_embed: int) -> None:
        self._n = 0
        self._total = np.zeros(d_embed)
        self._weighted = np.zeros((2, n_latents, d_embed))
        self._weights = np.zeros((2, n_latents))
        self._squares = np.zeros(n_latents)
        self._n_active = np.zeros(n_latents, dtype=np.int64)

    def add(self, first_id: int, x: np.ndarray, indices: np.ndarray, activations: np.ndarray) -> None:
        self._n += len(x)
        self._total += x.sum(0, dtype=np.float64)
        n_latents = len(self._squares)
        half = half_of(np.arange(first_id, first_id + len(x)))
        for which in (0, 1):
            mine = half == which
            values, latents = np.maximum(activations[mine], 0), indices[mine]
            pointers = np.arange(len(values) + 1) * indices.shape[1]
            codes = sparse.csr_matrix((values.ravel(), latents.ravel(), pointers), shape=(len(values), n_latents))
            self._weighted[which] += codes.T @ x[mine]
            self._weights[which] += np.bincount(latents.ravel(), values.ravel(), n_latents)
            self._squares += np.bincount(latents.ravel(), values.ravel().astype(np.float64) ** 2, n_latents)
            self._n_active += np.bincount(latents[values > 0], minlength=n_latents)

    def facts(self, fidelity: Fidelity) -> EmbeddingFacts:
        mean = self._total / self._n
        halves = np.stack([_centred(self._weighted[i], self._weights[i], mean) for i in (0, 1)])
        weights = self._weights.sum(0)
        split = (halves[0] * halves[1]).sum(1)
        split[(self._weights == 0).any(0)] = np.nan
        return EmbeddingFacts(
            n_images=self._n,
            fidelity=fidelity,
            mean=mean,
            centroids=_centred(self._weighted.sum(0), weights, mean).astype(np.float32),
            halves=halves.astype(np.float32),
            monosemanticity=self._monosemanticity(weights),
            image_similarity=_pair_mean(float(self._total @ self._total), self._n, self._n),
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


def _pair_mean(square_of_sum: float, sum_of_squares: float, n: int) -> float:
    return (square_of_sum - sum_of_squares) / (n * (n - 1)) if n > 1 else float("nan")


def _cross_mean(halves: np.ndarray, split: np.ndarray) -> float:
    """Mean cosine between the first half of a latent and the second half of another one."""
    known = np.isfinite(split)
    n = int(known.sum())
    if n < 2:
        return float("nan")
    first, second = halves[0][known], halves[1][known]
    return float((first.sum(0) @ second.sum(0) - split[known].sum()) / (n * (n - 1)))


def _random_pairs(embeddings: np.ndarray, indices: np.ndarray, activations: np.ndarray, sae: TopKSAE) -> float:
    """The baseline of the reconstruction cosine, on rows spread over the whole store."""
    rows = np.unique(np.linspace(0, len(embeddings) - 1, _N_PAIRS).astype(np.int64))
    x, kept, values = (torch.from_numpy(np.array(array[rows])) for array in (embeddings, indices, activations))
    return random_pair_cosine(x, sae.decode(SparseCodes(kept.long(), values)))
