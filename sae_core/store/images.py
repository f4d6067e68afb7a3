"""Rows of `images.parquet` by image id, without reading the table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sae_core.store.records import ImageRecord, LabelColumn

_CACHED_GROUPS = 64


class ImageTable:
    """Random access over row groups; the latest ones stay decoded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Reading one row group from several threads at once is not safe on one ParquetFile; each call opens its own
        # view over the parsed footer.
        self._metadata = pq.read_metadata(path)
        sizes = [self._metadata.row_group(i).num_rows for i in range(self._metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self._group = lru_cache(maxsize=_CACHED_GROUPS)(self._read_group)

    @property
    def n_rows(self) -> int:
        """Number of images."""
        return int(self._starts[-1])

    def rows(self, image_ids: Sequence[int]) -> list[ImageRecord]:
        """Records in the order asked for."""
        groups = np.searchsorted(self._starts, np.asarray(image_ids, dtype=np.int64), side="right") - 1
        return [
            ImageRecord(image_id=image_id, **self._group(int(group))[image_id - int(self._starts[group])])
            for image_id, group in zip(image_ids, groups, strict=True)
        ]

    def labels(self) -> LabelColumn:
        """The label column as codes; names in sorted order."""
        column = pq.read_table(self._path, columns=["label"]).column("label").to_pandas()
        categories = column.astype("category").cat
        return LabelColumn(categories.codes.to_numpy().astype(np.int32), [str(name) for name in categories.categories])

    def _read_group(self, group: int) -> list[dict[str, Any]]:
        with pq.ParquetFile(self._path, metadata=self._metadata, memory_map=True) as table:
            rows: list[dict[str, Any]] = table.read_row_group(group).to_pylist()
        return rows
