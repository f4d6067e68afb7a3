"""Which images carry a term in their own label or caption: the surest sign that a name matches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64, Int32, Int64

from index_builder.analysis.vocabulary import folded, said_by
from sae_core.halves import half_of
from sae_core.statistics import Z_95
from sae_core.store import layout


class CarriedTerms:
    """Terms of every image, as a flat list with offsets: 4 bytes a term of an image."""

    def __init__(self, root: Path, terms: Sequence[str]) -> None:
        self.n_terms = len(terms)
        number = {folded(term): code for code, term in enumerate(terms)}
        titles = _titles(root)
        parts: list[np.ndarray] = []
        lengths: list[int] = []
        with pa.ipc.open_file(pa.memory_map(str(root / layout.IMAGES))) as reader:
            codes = np.load(root / layout.IMAGE_LABELS, mmap_mode="r")
            for batch in range(reader.num_record_batches):
                captions = reader.get_batch(batch).column("caption").to_pylist()
                labels = codes[batch * layout.ROWS_PER_BATCH :][: len(captions)]
                said = [
                    _known(number, titles[label] if label >= 0 else None, caption)
                    for label, caption in zip(labels.tolist(), captions, strict=True)
                ]
                lengths += map(len, said)
                parts.append(np.fromiter(chain.from_iterable(said), dtype=np.int32))
        self._terms: Int32[np.ndarray, "m"] = np.concatenate(parts)
        self._offsets: Int64[np.ndarray, "n_images+1"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        half = half_of(np.arange(len(lengths)))
        self._n = np.bincount(half, minlength=2)
        self._counts = [self.counts(np.flatnonzero(half == which)) for which in (0, 1)]

    def counts(self, image_ids: np.ndarray) -> Int64[np.ndarray, "n_terms"]:
        """How many of these images carry each term."""
        starts, ends = self._offsets[image_ids], self._offsets[image_ids + 1]
        lengths = ends - starts
        first = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        found: np.ndarray = np.bincount(self._terms[first + np.arange(lengths.sum())], minlength=self.n_terms)
        return found

    def shares(self, which: int, members: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
        """Of one half: the share of a gallery's members that carry each term, that of the others, how many others."""
        n_others = int(self._n[which]) - len(members)
        mine = self.counts(members)
        return mine / max(len(members), 1), (self._counts[which] - mine) / max(n_others, 1), n_others


def binary_auc(share: Float64[np.ndarray, "n"], share_others: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    """AUC of a yes-or-no test: 1/2 + (P(yes | active) - P(yes | inactive)) / 2."""
    return np.asarray(0.5 + (share - share_others) / 2)


def binary_auc_low(share: float, share_others: float, n: int, n_others: int) -> float:
    """Its lower 95 % bound, by the standard error of a difference of two shares.

    Agresti & Coull's two successes and two failures are added first: four of four is not certainty.
    """
    p, q = (share * n + 2) / (n + 4), (share_others * n_others + 2) / (n_others + 4)
    error = 0.5 * np.sqrt(p * (1 - p) / (n + 4) + q * (1 - q) / (n_others + 4))
    return max(0.5 + (p - q) / 2 - Z_95 * float(error), 0.0)


def _known(number: dict[str, int], title: str | None, caption: str | None) -> list[int]:
    return sorted({number[term] for term in said_by(title, caption) if term in number})


def _titles(root: Path) -> list[str]:
    titles: list[str] = pq.read_table(root / layout.LABELS)["title"].to_pylist()
    return titles
