"""FAISS indexes: exact ones where that is fast, an inverted file over many images."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from sae_core.store import layout

_FLAT_UP_TO = 100_000  # images that an exhaustive search still answers in a few milliseconds
_TRAIN_PER_LIST = 40
_LISTS_SEARCHED = 16  # one in so many
_CHUNK = 65_536


def write_latent_index(root: Path, directions: np.ndarray) -> None:
    """Writes `latents.faiss`: an exact index over directions."""
    index = faiss.IndexFlatIP(directions.shape[1])
    index.add(directions)
    faiss.write_index(index, str(root / layout.LATENT_INDEX))


def write_image_index(root: Path) -> None:
    """Writes `embeddings.faiss`.

    Up to _FLAT_UP_TO images the vectors themselves; beyond, an inverted file of 8-bit codes that names candidates
    (LatentStore.nearest_images measures those exactly). Inverted files are trained on a seeded sample.
    """
    embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    index = faiss.IndexFlatIP(embeddings.shape[1]) if len(embeddings) <= _FLAT_UP_TO else _trained(embeddings)
    for start in range(0, len(embeddings), _CHUNK):
        index.add(np.ascontiguousarray(embeddings[start : start + _CHUNK]))
    faiss.write_index(index, str(root / layout.IMAGE_INDEX))


def _trained(embeddings: np.ndarray) -> faiss.IndexIVFScalarQuantizer:
    n, d_embed = embeddings.shape
    n_lists = 1 << int(np.log2(4 * np.sqrt(n)))
    quantizer = faiss.IndexFlatIP(d_embed)
    kind = faiss.ScalarQuantizer.QT_8bit
    index = faiss.IndexIVFScalarQuantizer(quantizer, d_embed, n_lists, kind, faiss.METRIC_INNER_PRODUCT)
    sample = np.sort(np.random.default_rng(0).choice(n, min(n, _TRAIN_PER_LIST * n_lists), replace=False))
    index.cp.niter, index.cp.seed = 10, 0
    index.train(np.ascontiguousarray(embeddings[sample]))
    index.nprobe = max(n_lists // _LISTS_SEARCHED, 1)
    return index
