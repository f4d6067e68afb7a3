"""Parquet files with pictures in their rows, on a disk or on the hub; a key is `FILE/ROW`."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pyarrow as pa
from huggingface_hub.errors import HfHubHTTPError

from index_builder.progress import counted
from index_builder.sources.base import RawPicture, changed, listing_sha256
from index_builder.sources.texts import clean
from sae_core import parquets
from sae_core.errors import ChangedError, PictureError, SourceError, first_line
from sae_core.keys import SPLITS


@dataclass(frozen=True)
class ParquetFile:
    """One file: where it is, what it is called in keys, what it looks like from outside."""

    path: str
    shown: str
    state: str
    n_rows: int


@dataclass(frozen=True)
class RowKeys(Sequence[str]):
    """`FILE/ROW` of every row, made when asked: a hundred million of them take no memory."""

    files: tuple[ParquetFile, ...]
    starts: tuple[int, ...]  # one more than files

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return [self[number] for number in range(*position.indices(len(self)))]
        file, row = self.locate(position)
        return f"{self.files[file].shown}/{row}"

    def locate(self, position: int) -> tuple[int, int]:
        """File and row. Raises IndexError."""
        if not 0 <= position < len(self):
            raise IndexError(position)
        file = bisect_right(self.starts, position) - 1
        return file, position - self.starts[file]


@dataclass(frozen=True)
class ParquetSource:
    """Rows of one or more files, in the files' order."""

    rows: RowKeys
    keys: Sequence[str]  # the same, or the first of them
    name: str
    filesystem: Any = None  # fsspec's, where the files are not on a disk of this machine
    kind: Literal["parquet"] = "parquet"

    @classmethod
    def scan(cls, paths: Sequence[Path], name: str) -> ParquetSource:
        """Reads the footers. Raises SourceError where a file is no Parquet, or holds no pictures."""
        common = Path(os.path.commonpath([path.parent for path in paths]))
        said = [(str(path), path.relative_to(common).as_posix(), parquets.state_of(path)) for path in paths]
        return cls.of(said, name)

    @classmethod
    def of(cls, said: Iterable[tuple[str, str, str]], name: str, filesystem: Any = None) -> ParquetSource:
        """From paths, shown names and states."""
        files = tuple(
            ParquetFile(path, str(clean(shown)), state, _rows(path, filesystem, state))
            for path, shown, state in counted(said, "list", "file")
        )
        rows = RowKeys(files, tuple(accumulate((file.n_rows for file in files), initial=0)))
        return cls(rows, rows, name, filesystem)

    def state_sha256(self) -> str:
        """Hash of the files' names, sizes and times: a resumed build must find them as they were."""
        return listing_sha256(f"{file.shown} {self._state(file)}" for file in self.rows.files)

    def files(self) -> list[Path]:
        """The files, unless they are on the hub."""
        return [Path(file.path) for file in self.rows.files if self.filesystem is None]

    def read(self, position: int) -> RawPicture:
        """A row's picture, its class name, caption and split; the split is the file's where the row names none."""
        number, row = self.rows.locate(position)
        file = self.rows.files[number]
        try:
            if self._state(file) != file.state:
                raise changed(file.path)
            found = parquets.opened(file.path, self.filesystem, file.state).row(row)
        except ChangedError:
            raise
        except Exception as error:  # pyarrow's, the network's
            raise PictureError("unreadable", f"the row cannot be read: {first_line(error)}") from error
        if found.data is None:
            raise PictureError("no-picture", "the row holds no picture")
        split = found.split or _split_of(file.shown)
        return RawPicture(found.data, clean(found.label), clean(found.caption), clean(split))

    def _state(self, file: ParquetFile) -> str:
        """What the file looks like now; one of the hub is that of its commit for ever."""
        return file.state if self.filesystem else parquets.state_of(Path(file.path))


def _rows(path: str, filesystem: Any, state: str) -> int:
    try:
        opened = parquets.opened(path, filesystem, state)
        columns, largest = opened.columns, opened.largest_group
    except HfHubHTTPError:  # has a sentence of its own
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise SourceError(f"{path} cannot be read as Parquet: {first_line(error)}") from error
    if columns is None:
        wanted = "bytes, or a struct with bytes, called image"
        raise SourceError(f"{path} has no one column of pictures ({wanted}); it has {opened.described}")
    if largest > parquets.MAX_GROUP_BYTES:
        gigabytes = largest / 1e9
        raise SourceError(
            f"{path} has a row group of {gigabytes:.1f} GB: write it again with smaller ones (1,000 rows)"
        )
    return opened.n_rows


def _split_of(shown: str) -> str | None:
    """`data/train-00000-of-00014.parquet` and `train/0000.parquet` are of the split train."""
    words = [part.split("-")[0].split(".")[0] for part in reversed(PurePosixPath(shown).parts)]
    return next((word for word in words if word in SPLITS), None)
