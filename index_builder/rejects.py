"""Inputs that were not indexed, as a store's table."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from index_builder.decode import Reject
from sae_core.store import layout


class RejectRows:
    """`rejects.parquet`, in row groups of one size however the shards were cut: the same rejects are the same bytes."""

    def __init__(self, root: Path) -> None:
        self.n = 0
        self._file = pq.ParquetWriter(root / layout.REJECTS, layout.REJECT_SCHEMA)
        self._waiting: list[Reject] = []

    def add(self, rejects: list[Reject]) -> None:
        """Appends some; what does not fill a group waits."""
        self.n += len(rejects)
        self._waiting += rejects
        while len(self._waiting) >= layout.ROWS_PER_BATCH:
            self._write(layout.ROWS_PER_BATCH)

    def close(self) -> None:
        """Writes what is left."""
        if self._waiting:
            self._write(len(self._waiting))
        self._file.close()

    def _write(self, n: int) -> None:
        rows = [reject._asdict() for reject in self._waiting[:n]]
        del self._waiting[:n]
        self._file.write_table(pa.Table.from_pylist(rows, schema=layout.REJECT_SCHEMA))
