"""First and second moments of the embeddings, by half of the store and by label.

A mean, a covariance, principal components and a closed-form linear head for the labels all follow from these sums, so
that no reader has to go through the embeddings again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32
from scipy import sparse

from sae_core.halves import half_of
from sae_core.store import layout


class MomentSums:
    """Sums over images, in float64."""

    def __init__(self, d_embed: int, n_labels: int) -> None:
        self._counts = np.zeros(2, dtype=np.int64)
        self._sums = np.zeros((2, d_embed))
        self._products = np.zeros((2, d_embed, d_embed))
        self._label_counts = np.zeros((2, n_labels), dtype=np.int64)
        self._label_sums = np.zeros((2, n_labels, d_embed))

    def add(self, first_id: int, x: Float32[np.ndarray, "n d_embed"], labels: Int32[np.ndarray, "n"]) -> None:
        """The next images; a label of -1 is none."""
        half = half_of(np.arange(first_id, first_id + len(x)))
        n_labels = self._label_counts.shape[1]
        for which in (0, 1):
            mine, codes = x[half == which].astype(np.float64), labels[half == which]
            self._counts[which] += len(mine)
            self._sums[which] += mine.sum(0)
            self._products[which] += mine.T @ mine
            labelled = np.flatnonzero(codes >= 0)
            self._label_counts[which] += np.bincount(codes[labelled], minlength=n_labels)
            present, row = np.unique(codes[labelled], return_inverse=True)  # hardly all of 21,841 labels
            of_label = sparse.csr_matrix((np.ones(len(row)), (row, labelled)), shape=(len(present), len(mine)))
            self._label_sums[which, present] += of_label @ mine

    def arrays(self) -> dict[str, np.ndarray]:
        """What is stored, by file."""
        return {
            layout.MOMENT_COUNTS: self._counts,
            layout.MOMENT_SUMS: self._sums,
            layout.MOMENT_PRODUCTS: self._products,
            layout.MOMENT_LABEL_COUNTS: self._label_counts,
            layout.MOMENT_LABEL_SUMS: self._label_sums,
        }

    def save(self, root: Path) -> None:
        """Writes `moments/`."""
        (root / "moments").mkdir(exist_ok=True)
        for name, array in self.arrays().items():
            np.save(root / name, array)
