"""FAISS indexes: exact ones where that is fast, short codes over many images."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from index_builder.analysis.recall import nearest_recall
from sae_core.store import layout

_FLAT_UP_TO = 100_000  # images that an exhaustive search still answers in a few milliseconds
_TRAINED_ON = 60_000
_DIMENSIONS_PER_CODE = 4  # four dimensions in four bits
_CHUNK = 65_536


def write_latent_index(root: Path, directions: np.ndarray) -> None:
    """Writes `latents.faiss`: an exact index over directions."""
    index = faiss.IndexFlatIP(directions.shape[1])
    index.add(directions)
    faiss.write_index(index, str(root / layout.LATENT_INDEX))


def write_image_index(root: Path) -> float:
    """Writes `embeddings.faiss`; returns the recall of what it finds (index_builder.analysis.recall).

    Up to _FLAT_UP_TO images the vectors themselves; beyond, product-quantised codes of a bit a dimension, all of which
    are scanned in registers (André et al., arXiv 1704.07355). They name candidates, which LatentStore.nearest_images
    measures exactly. Trained on a seeded sample. An inverted file of 8-bit codes was slower at equal recall: it depends
    on how the embeddings cluster, a full scan does not.
    """
    embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    index = faiss.IndexFlatIP(embeddings.shape[1]) if len(embeddings) <= _FLAT_UP_TO else _trained(embeddings)
    for start in range(0, len(embeddings), _CHUNK):
        index.add(np.ascontiguousarray(embeddings[start : start + _CHUNK]))
    faiss.write_index(index, str(root / layout.IMAGE_INDEX))
    return nearest_recall(index, embeddings)


def _trained(embeddings: np.ndarray) -> faiss.IndexPQFastScan:
    n, d_embed = embeddings.shape
    n_codes = next(m for m in range(max(d_embed // _DIMENSIONS_PER_CODE, 1), 0, -1) if d_embed % m == 0)
    index = faiss.IndexPQFastScan(d_embed, n_codes, 4, faiss.METRIC_INNER_PRODUCT)
    sample = np.sort(np.random.default_rng(0).choice(n, min(n, _TRAINED_ON), replace=False))
    index.train(np.ascontiguousarray(embeddings[sample]))
    return index
