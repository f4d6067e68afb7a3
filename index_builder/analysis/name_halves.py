"""One half of a store's images, on which names are chosen or judged by CLIP."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from index_builder.analysis.vocabulary import Vocabulary
from index_builder.arrays import new_array
from sae_core.halves import half_of
from sae_core.statistics import auc

_SAMPLE = 64  # active images of each half, at most
_REFERENCE = 2_048  # images of each half that stand for all others
_TOGETHER = 1_024  # terms whose cosines are computed together


class Half:
    """One half of the images: a seeded sample that stands for all of them, and its cosines with every term."""

    def __init__(self, root: Path, embeddings: np.ndarray, vocabulary: Vocabulary, which: int) -> None:
        ids = np.flatnonzero(half_of(np.arange(len(embeddings))) == which)
        rng = np.random.default_rng([which, len(embeddings)])
        sample = np.sort(rng.choice(ids, min(_REFERENCE, len(ids)), replace=False))
        self._which, self._embeddings, self.vocabulary = which, embeddings, vocabulary
        self._cosines, self._sorted = _mapped(root, (len(vocabulary.terms), len(sample)))
        for start in range(0, len(vocabulary.terms), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            self._cosines[part] = vocabulary.embeddings[part] @ embeddings[sample].T
            self._sorted[part] = np.sort(self._cosines[part], axis=1)
        self._place = np.full(len(embeddings), -1, dtype=np.int16)  # of each image in the sample
        self._place[sample] = np.arange(len(sample))

    def members(self, latent: int, ids: np.ndarray) -> np.ndarray:
        """Images of a gallery that are in this half; a seeded sample of many."""
        mine = ids[half_of(ids) == self._which]
        if len(mine) <= _SAMPLE:
            return np.sort(mine)
        return np.sort(np.random.default_rng([self._which, latent]).choice(mine, _SAMPLE, replace=False))

    def scores(self, ids: np.ndarray, members: np.ndarray, terms: np.ndarray) -> tuple[np.ndarray, int]:
        """AUC of each term for members of the gallery `ids` against the sample's other images, and how many those are.

        NaN where there are none.
        """
        active = np.zeros(self._cosines.shape[1], dtype=bool)
        places = self._place[ids]
        active[places[places >= 0]] = True
        # Without BLAS, whose threads cost more than so small a product where other programs want the cores, too.
        cosines = np.einsum("td,md->tm", self.vocabulary.embeddings[terms], np.array(self._embeddings[members]))
        areas = [
            auc(cosines[row], self._sorted[term], without=self._cosines[term, active]) for row, term in enumerate(terms)
        ]
        return np.array(areas), int((~active).sum())


def _mapped(scratch: Path, shape: tuple[int, int]) -> list[np.ndarray]:
    """Two arrays that take no memory that others need: of 21,841 labels' cosines most are on no shortlist."""
    with TemporaryDirectory(dir=scratch) as folder:  # mapped, they outlive their names
        return [new_array(Path(folder) / name, np.dtype("<f4"), shape) for name in ("cosines.npy", "sorted.npy")]
