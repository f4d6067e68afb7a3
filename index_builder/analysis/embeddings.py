"""One pass over embeddings and codes: fidelity, moments, near misses, and what sums over galleries say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from jaxtyping import Float64
from scipy import sparse

from index_builder.analysis.gallery_sums import GalleryFacts, GallerySums
from index_builder.analysis.label_moments import MomentSums
from index_builder.analysis.near_misses import NearMissTable
from sae_core.metrics import Fidelity, FidelityMeter, random_pair_cosine
from sae_core.sae.topk import SparseCodes, TopKSAE
from sae_core.store import layout

_N_PAIRS = 4_096
_CELLS = 2**25  # pre-activations in memory together: 128 MiB


@dataclass(frozen=True)
class EmbeddingFacts:
    """What the pass finds."""

    n_images: int
    fidelity: Fidelity
    mean: Float64[np.ndarray, "d_embed"]  # of all embeddings
    image_similarity: float  # mean cosine of two images: the baseline of monosemanticity
    galleries: GalleryFacts


def embedding_pass(root: Path, sae: TopKSAE) -> EmbeddingFacts:
    """Streams over the store's images; writes `moments/` and `latents/near_misses.npy` with its pre-activations."""
    embeddings, indices, activations = (
        np.load(root / name, mmap_mode="r")
        for name in (layout.EMBEDDINGS, layout.CODE_INDICES, layout.CODE_ACTIVATIONS)
    )
    labels = np.load(root / layout.IMAGE_LABELS, mmap_mode="r")
    moments = MomentSums(sae.config.d_embed, pq.read_metadata(root / layout.LABELS).num_rows)
    sums, total = GallerySums(sae.config.n_latents, sae.config.d_embed), np.zeros(sae.config.d_embed)
    misses, meter = NearMissTable(sae.config.n_latents), FidelityMeter()
    chunk = max(_CELLS // sae.config.n_latents, 256)
    for start in range(0, len(embeddings), chunk):
        rows = slice(start, start + chunk)
        x, kept, values = (np.array(array[rows]) for array in (embeddings, indices, activations))
        sums.add(start, x, _matrix(kept, values, sae.config.n_latents))
        total += x.sum(0, dtype=np.float64)
        moments.add(start, x, np.array(labels[rows]))
        with torch.no_grad():
            codes = SparseCodes(torch.from_numpy(kept).long(), torch.from_numpy(values))
            meter.add(torch.from_numpy(x), sae.decode(codes), codes.activations)
            misses.add(start, sae.pre_activations(torch.from_numpy(x)).numpy(), kept, values)
    moments.save(root)
    np.save(root / layout.NEAR_MISSES, misses.image_ids)
    np.save(root / layout.NEAR_MISS_PRE_ACTIVATIONS, misses.pre_activations)
    fidelity = meter.result(_random_pairs(embeddings, indices, activations, sae))
    n = len(embeddings)
    mean = total / n
    return EmbeddingFacts(n, fidelity, mean, _pair_mean(float(total @ total), n, n), sums.facts(mean))


def _matrix(indices: np.ndarray, activations: np.ndarray, n_latents: int) -> sparse.csr_matrix:
    """Codes `[n, n_latents]`; what is below 0 is not active."""
    pointers = np.arange(len(indices) + 1) * indices.shape[1]
    values = np.maximum(activations, 0)
    return sparse.csr_matrix((values.ravel(), indices.ravel(), pointers), shape=(len(indices), n_latents))


def _pair_mean(square_of_sum: float, sum_of_squares: float, n: int) -> float:
    return (square_of_sum - sum_of_squares) / (n * (n - 1)) if n > 1 else float("nan")


def _random_pairs(embeddings: np.ndarray, indices: np.ndarray, activations: np.ndarray, sae: TopKSAE) -> float:
    """The baseline of the reconstruction cosine, on rows spread over the whole store."""
    rows = np.unique(np.linspace(0, len(embeddings) - 1, _N_PAIRS).astype(np.int64))
    x, kept, values = (torch.from_numpy(np.array(array[rows])) for array in (embeddings, indices, activations))
    return random_pair_cosine(x, sae.decode(SparseCodes(kept.long(), values)))
