"""Exhaustive search on a GPU, where FAISS sees one: all vectors lie in its memory, and the answers are exact.

A GPU reads ImageNet's 2.6 GB of vectors in about a millisecond, so it needs no short codes and no lists.
"""

from __future__ import annotations

import threading
from typing import Any

import faiss
import numpy as np
from jaxtyping import Float32, Int64

_SHARE = 0.5  # of the free memory: the encoder and other stores want some, too
_CHUNK = 262_144


class GpuVectors:
    """Vectors on the first GPU. Searches take turns: FAISS's GPU resources are not for several threads."""

    def __init__(self, vectors: Float32[np.ndarray, "n d_embed"]) -> None:
        self._lock = threading.Lock()
        self._resources = faiss.StandardGpuResources()
        self._index: Any = faiss.GpuIndexFlatIP(self._resources, vectors.shape[1])
        for start in range(0, len(vectors), _CHUNK):
            self._index.add(np.ascontiguousarray(vectors[start : start + _CHUNK], dtype=np.float32))

    @classmethod
    def of(cls, vectors: Float32[np.ndarray, "n d_embed"]) -> GpuVectors | None:
        """Vectors on a GPU; None where there is none, or too little memory is free."""
        if not gpu_holds(vectors.nbytes):
            return None
        try:
            return cls(vectors)
        except RuntimeError:  # somebody else took the memory meanwhile
            return None

    def search(self, queries: Float32[np.ndarray, "m d_embed"], n: int) -> Int64[np.ndarray, "m n"]:
        """Which vectors have the largest inner products with each query."""
        with self._lock:
            ids: np.ndarray = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), n)[1]
        return ids


def gpu_holds(n_bytes: int) -> bool:
    """Whether a GPU has room for so much."""
    if faiss.get_num_gpus() == 0:
        return False
    import torch  # FAISS does not tell how much is free

    return torch.cuda.is_available() and n_bytes <= _SHARE * torch.cuda.mem_get_info(0)[0]
