"""Whether a gallery's own labels and captions bear its name out: CLIP alone finds a name for almost any direction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from index_builder.analysis.naming import Name
from index_builder.analysis.vocabulary import folded, said_by
from sae_core.naming import CARRIED_AMONG
from sae_core.store import layout
from sae_core.store.images import ImageTable

_DRAWN = 2_048  # images that say how many would carry a name by chance
_KEPT = 16_384  # images whose words are remembered: latents share their strongest


class Carriers:
    """The words that images of one store carry, read as they are asked for."""

    def __init__(self, root: Path) -> None:
        self._images = ImageTable(root / layout.IMAGES)
        self._codes = np.load(root / layout.IMAGE_LABELS, mmap_mode="r")
        self._titles: list[str] = pq.read_table(root / layout.LABELS)["title"].to_pylist()
        self._terms = lru_cache(_KEPT)(self._read)
        n = self._images.n_rows
        drawn = np.random.default_rng(n).choice(n, min(_DRAWN, n), replace=False)
        self._drawn = [terms for image_id in drawn.tolist() if (terms := self._terms(image_id))]

    def columns(self, names: Sequence[Name | None], galleries: Iterable[np.ndarray]) -> dict[str, list[object]]:
        """`name_carried` and `name_carried_by_chance` of names and their galleries, strongest first.

        Null without a name, and where none of the strongest images has a label or caption.
        """
        found = [self._of(name, ids[:CARRIED_AMONG].tolist()) for name, ids in zip(names, galleries, strict=True)]
        return {
            "name_carried": [None if one is None else one[0] for one in found],
            "name_carried_by_chance": [None if one is None else one[1] for one in found],
        }

    def _of(self, name: Name | None, strongest: list[int]) -> tuple[int, float] | None:
        """How many of these carry the name, and of as many drawn ones; images without a word do not count."""
        said = [terms for image_id in strongest if (terms := self._terms(image_id))]
        if name is None or not said or not self._drawn:
            return None
        term = folded(name.text)
        share = sum(term in terms for terms in self._drawn) / len(self._drawn)
        return sum(term in terms for terms in said), share * len(said)

    def _read(self, image_id: int) -> frozenset[str]:
        row, code = self._images.rows([image_id])[0], int(self._codes[image_id])
        return frozenset(said_by(self._titles[code] if code >= 0 else None, row["caption"]))
