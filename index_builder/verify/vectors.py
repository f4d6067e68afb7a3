"""Embeddings, centroids, indexes and the SAE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow.parquet as pq

from index_builder.analysis.label_moments import MomentSums
from sae_core.sae.checkpoint import load_sae, sae_fingerprint
from sae_core.store import layout
from sae_core.store.manifest import Manifest
from sae_core.store.search import is_exact

_CHUNK = 65_536  # images
_UNIT = 1e-3


def embedding_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Every embedding has unit norm."""
    embeddings = np.load(root / layout.EMBEDDINGS, "r")
    starts = range(0, len(embeddings), _CHUNK)
    errors = [np.abs(np.linalg.norm(embeddings[start : start + _CHUNK], axis=1) - 1).max() for start in starts]
    if not max(errors) <= _UNIT or np.isnan(errors).any():
        yield f"{layout.EMBEDDINGS} holds vectors that are not of unit norm"


def centroid_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Centroids have unit norm, and are 0 exactly for dead latents where galleries differ from the mean."""
    norms = np.linalg.norm(np.load(root / layout.CENTROIDS, "r"), axis=1)
    dead = np.diff(np.load(root / layout.POSTING_OFFSETS)) == 0
    if not ((np.abs(norms - 1) <= _UNIT) | (norms == 0)).all() or norms[dead].any():
        yield f"{layout.CENTROIDS} holds vectors that are neither of unit norm nor 0"


def moment_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """The sums over embeddings, by half and by label, are those of the embeddings."""
    embeddings, labels = np.load(root / layout.EMBEDDINGS, "r"), np.load(root / layout.IMAGE_LABELS, "r")
    sums = MomentSums(manifest.d_embed, pq.read_metadata(root / layout.LABELS).num_rows)
    for start in range(0, len(embeddings), _CHUNK):
        rows = slice(start, start + _CHUNK)
        sums.add(start, embeddings[rows], labels[rows])
    for name, wanted in sums.arrays().items():
        found = np.load(root / name)
        if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=1e-5, atol=1e-5):
            yield f"{name} is not what the embeddings add up to"


def index_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """The indexes hold the embeddings and the directions."""
    embeddings = np.load(root / layout.EMBEDDINGS, "r")
    directions = load_sae(root / "sae").directions().numpy()
    for name, vectors in ((layout.IMAGE_INDEX, embeddings), (layout.LATENT_INDEX, directions)):
        index = faiss.read_index(str(root / name))
        if (index.ntotal, index.d) != vectors.shape:
            yield f"{name} holds {index.ntotal:,} x {index.d}, not {vectors.shape[0]:,} x {vectors.shape[1]}"
        elif not _holds(index, vectors):
            yield f"{name} holds other vectors than the store"


def sae_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """The SAE is the one that made the codes."""
    sae = load_sae(root / "sae")
    sizes = (sae.config.d_embed, sae.config.n_latents, sae.config.k)
    if sizes != (manifest.d_embed, manifest.n_latents, manifest.k):
        yield f"sae/ has sizes {sizes}, not those of the manifest"
    if sae_fingerprint(sae) != manifest.sae.fingerprint:
        yield "sae/ is not the SAE that made the codes"


def _holds(index: Any, vectors: np.ndarray) -> bool:
    """A flat index holds the vectors themselves; another one codes of them, so some are looked up."""
    if is_exact(index):
        starts = range(0, len(vectors), _CHUNK)
        parts = ((vectors[start : start + _CHUNK], start) for start in starts)
        return all(np.allclose(index.reconstruct_n(start, len(part)), part, atol=1e-5) for part, start in parts)
    rows = np.linspace(0, len(vectors) - 1, 256).astype(int)
    _, found = index.search(np.ascontiguousarray(vectors[rows]), 64)
    return bool((found == rows[:, None]).any(1).mean() > 0.95)
