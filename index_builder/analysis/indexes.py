"""FAISS indexes: exact ones where that is fast, short codes over many images, in inverted lists over very many."""

from __future__ import annotations

import math
from bisect import bisect_left
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index_builder.analysis.recall import Recall
from sae_core.store import layout

_FLAT_UP_TO = 100_000  # images that an exhaustive search still answers in a few milliseconds
_SCANNED_UP_TO = 10_000_000  # whose short codes are still scanned in tens of milliseconds
_TRAINED_ON = 60_000
_TRAINED_A_LIST = 64  # vectors; FAISS asks for 39
_DIMENSIONS_PER_CODE = 4  # four dimensions in four bits
_WANTED_RECALL = 0.95
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
    measures exactly. Beyond _SCANNED_UP_TO the same codes in inverted lists.
    """
    embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    n = len(embeddings)
    kind = exact if n <= _FLAT_UP_TO else scanned if n <= _SCANNED_UP_TO else listed
    index, recall = kind(embeddings)
    faiss.write_index(index, str(root / layout.IMAGE_INDEX))
    return recall


def exact(embeddings: np.ndarray) -> tuple[Any, float]:
    """The vectors themselves; recall 1."""
    return _filled(faiss.IndexFlatIP(embeddings.shape[1]), embeddings), 1.0


def scanned(embeddings: np.ndarray) -> tuple[Any, float]:
    """Short codes, all of which are scanned, trained on a seeded sample; and their recall."""
    d_embed = embeddings.shape[1]
    index = faiss.IndexPQFastScan(d_embed, _n_codes(d_embed), 4, faiss.METRIC_INNER_PRODUCT)
    _train(index, embeddings, _TRAINED_ON)
    return _filled(index, embeddings), Recall(embeddings).of(index)


def listed(embeddings: np.ndarray) -> tuple[Any, float]:
    """The same codes in about sqrt(n) inverted lists; and their recall.

    The file keeps the number of lists to search: the fewest that reach _WANTED_RECALL on these very embeddings, since
    it depends on how they cluster.
    """
    n, d_embed = embeddings.shape
    n_lists = 1 << round(math.log2(math.sqrt(n)))
    index: Any = faiss.index_factory(d_embed, f"IVF{n_lists},PQ{_n_codes(d_embed)}x4fs", faiss.METRIC_INNER_PRODUCT)
    if faiss.get_num_gpus():  # only the clustering: it is nearly all of the training
        index.clustering_index = faiss.index_cpu_to_all_gpus(faiss.IndexFlatIP(d_embed))
    _train(index, embeddings, max(_TRAINED_ON, _TRAINED_A_LIST * n_lists))
    _filled(index, embeddings)
    recall = Recall(embeddings)

    def reached(n_searched: int) -> float:
        index.nprobe = n_searched
        return recall.of(index)

    return index, reached(1 + bisect_left(range(1, n_lists), _WANTED_RECALL, key=reached))


def _n_codes(d_embed: int) -> int:
    """The largest divisor of a width that leaves _DIMENSIONS_PER_CODE dimensions a code, or more."""
    return next(m for m in range(max(d_embed // _DIMENSIONS_PER_CODE, 1), 0, -1) if d_embed % m == 0)


def _train(index: Any, embeddings: np.ndarray, n_sample: int) -> None:
    """Trains on a seeded sample."""
    n = len(embeddings)
    sample = np.sort(np.random.default_rng(0).choice(n, min(n, n_sample), replace=False))
    index.train(np.ascontiguousarray(embeddings[sample]))


def _filled(index: Any, embeddings: np.ndarray) -> Any:
    for start in range(0, len(embeddings), _CHUNK):
        index.add(np.ascontiguousarray(embeddings[start : start + _CHUNK]))
    return index
