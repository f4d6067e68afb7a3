"""Pictures in the rows of a Parquet file, as data sets on the hub are kept: read at random, a row group at a time.

A row's picture is a column of bytes, or a struct with `bytes` (the `Image` feature of the datasets package). A class
label is a number; its names stand in the schema's metadata. Nothing is decoded here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sae_core.parquet_columns import Columns, picture_columns

MAX_GROUP_BYTES = 1 << 30  # of pictures in one row group, which is read whole
_KEPT_FILES = 16
_KEPT_BYTES, _LEAST_KEPT = 1 << 28, 2  # of row groups in memory, whatever the file; a batch may be cut by two
_NAMED = 5  # columns in an error
_lock = Lock()  # threads of one process ask for the same group at once


class Row(NamedTuple):
    """One row as the file holds it; `data` is None where the row holds no bytes."""

    data: bytes | None
    label: str | None
    caption: str | None
    split: str | None


class Opened:
    """One Parquet file: `n_rows`, `columns`, and rows by number. Raises OSError or pyarrow.ArrowException."""

    def __init__(self, path: str, filesystem: Any = None) -> None:
        self._file = pq.ParquetFile(path, filesystem=filesystem, pre_buffer=filesystem is not None)
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._ends = np.cumsum([0, *sizes])
        self.n_rows = int(self._ends[-1])
        if min(sizes, default=0) < 0 or self.n_rows != metadata.num_rows:
            raise pa.ArrowInvalid("its row groups do not add up to its rows")
        self.columns = picture_columns(self._file.schema_arrow)

    @property
    def largest_group(self) -> int:
        """Bytes of the largest row group, unpacked."""
        metadata = self._file.metadata
        return max((metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)), default=0)

    @property
    def described(self) -> str:
        """Its first columns and their types."""
        schema = self._file.schema_arrow
        first = ", ".join(f"{field.name}: {field.type}" for field in list(schema)[:_NAMED])
        return first + (f" and {len(schema) - _NAMED} more" if len(schema) > _NAMED else "")

    def row(self, number: int) -> Row:
        """Raises LookupError behind the end."""
        if not 0 <= number < self.n_rows or self.columns is None:
            raise LookupError(number)
        group = int(np.searchsorted(self._ends, number, side="right")) - 1
        with _lock:
            table = _groups.of(self, group)
        values = {name: table[name][number - int(self._ends[group])].as_py() for name in self.columns.read}
        return _as_row(self.columns, values)

    def read_group(self, group: int) -> pa.Table:
        """The columns that are read of one row group."""
        assert self.columns
        return self._file.read_row_group(group, columns=self.columns.read, use_threads=False)


class _Groups:
    """The row groups that were asked for last, of all files together: each may be large, and files are many."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Opened, int], pa.Table] = OrderedDict()

    def of(self, file: Opened, group: int) -> pa.Table:
        """One of them, read where it is not kept; the oldest ones go for it."""
        if (file, group) in self._kept:
            self._kept.move_to_end((file, group))
        else:
            self._kept[file, group] = file.read_group(group)
            while len(self._kept) > _LEAST_KEPT and sum(kept.nbytes for kept in self._kept.values()) > _KEPT_BYTES:
                self._kept.popitem(last=False)
        return self._kept[file, group]


_groups = _Groups()


@lru_cache(maxsize=_KEPT_FILES)
def opened(path: str, filesystem: Any = None, state: str = "") -> Opened:
    """The file, its footer read once a process as long as `state` (what it looks like from outside) is the same."""
    return Opened(path, filesystem)


def state_of(path: Path) -> str:
    """What a file looks like from outside: size and time."""
    stat = path.stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _as_row(columns: Columns, values: Mapping[str, Any]) -> Row:
    picture = values[columns.picture]
    data = picture.get("bytes") if isinstance(picture, dict) else picture
    label = _as_label(values[columns.label], columns.names) if columns.label else None
    caption = values[columns.caption] if columns.caption else None
    if isinstance(caption, list):  # several of one picture, as COCO has them: the first that there is
        caption = next(filter(None, caption), None)
    return Row(data or None, label, caption, values[columns.split] if columns.split else None)


def _as_label(value: Any, names: tuple[str, ...]) -> str | None:
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None  # a measure, or NaN
    if isinstance(value, int) and not isinstance(value, bool):  # -1 is the datasets package's word for none
        return None if value < 0 else names[value] if value < len(names) else str(value)
    return None if value is None else str(value)
