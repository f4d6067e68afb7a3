"""A viewer's own copy of the pictures: a store that is shared without them still says which they are.

A picture is shown only where its bytes have the hash that the store recorded, so neither another file of the same name
nor a store made by somebody hostile shows anything but what was indexed.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

import pyarrow as pa
from PIL import Image

from sae_core import keys, parquets, tars
from sae_core.errors import PictureError, SourceError
from sae_core.pictures import EXTENSIONS, open_picture
from sae_core.store.records import ImageRecord, Thumbnail
from sae_core.thumbnails import encode_thumbnail

SIDE = 256  # pixels of the longer side of what is shown
_MAX_BYTES = 100_000_000
_TAR = re.compile(r"\.tar/", re.IGNORECASE)
_KEPT = 4096  # encoded thumbnails: about 60 MB


class Originals:
    """A folder of pictures, tars or Parquet files, or one such file. Raises SourceError where there is neither."""

    def __init__(self, root: Path) -> None:
        if not root.exists():
            raise SourceError(f"there is no folder and no file of pictures at {root}")
        self._root = root
        self._members = lru_cache(maxsize=64)(_members)
        self._thumbnail = lru_cache(maxsize=_KEPT)(self._make_thumbnail)  # a failure is not kept: a disk may come back

    def picture(self, record: ImageRecord) -> Image.Image | None:
        """The picture itself, RGB and upright; None where it is not there, or is another one."""
        try:
            return open_picture(self._bytes(record.source_key, record.sha256)).rgb
        except (LookupError, OSError, PictureError, tarfile.TarError):
            return None

    def has(self, record: ImageRecord) -> bool:
        """Whether the picture is there, byte for byte."""
        try:
            return bool(self._bytes(record.source_key, record.sha256))
        except (LookupError, OSError, tarfile.TarError):
            return False

    def thumbnail(self, record: ImageRecord) -> Thumbnail | None:
        """The same as a JPEG of SIDE pixels at most; the latest few thousand are kept in memory."""
        try:
            return self._thumbnail(record.source_key, record.sha256)
        except (LookupError, OSError, PictureError, tarfile.TarError):
            return None

    def _make_thumbnail(self, key: str, sha256: str) -> Thumbnail:
        return Thumbnail(encode_thumbnail(open_picture(self._bytes(key, sha256)), SIDE), "image/jpeg")

    def _bytes(self, key: str, sha256: str) -> bytes:
        """Raises LookupError where no file of that key has that hash."""
        for data in self._candidates(key):
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        raise LookupError(key)

    def _candidates(self, key: str) -> Iterator[bytes]:
        """Files of that name, rows and members; any folder may be called `x.tar`."""
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            return  # a store is somebody else's file: it does not lead out of the folder
        for end in (match.end() for match in _TAR.finditer(key)):
            yield from self._of_tar(key[: end - 1], key[end:])
        table, _, row = key.rpartition("/")
        if table.lower().endswith(".parquet"):
            yield from self._of_parquet(table, row)
        for named in (key, *keys.with_other_split(key)):
            for file in map(self._root.joinpath, keys.as_paths(named)):
                if file.is_file() and file.stat().st_size <= _MAX_BYTES:
                    yield file.read_bytes()

    def _of_parquet(self, name: str, row: str) -> Iterator[bytes]:
        file = self._file(name)
        if file and row.isdecimal():
            try:
                data = parquets.opened(str(file), None, parquets.state_of(file)).row(int(row)).data
            except (pa.ArrowException, ValueError, KeyError) as error:
                raise LookupError(name) from error
            if data and len(data) <= _MAX_BYTES:
                yield data

    def _of_tar(self, name: str, member: str) -> Iterator[bytes]:
        tar = self._file(name)
        if tar is None:
            return
        for offset, size in self._members(tar, tar.stat().st_mtime_ns).get(member, ()):
            if size <= _MAX_BYTES:
                with open(tar, "rb") as file:
                    yield os.pread(file.fileno(), size, offset)

    def _file(self, name: str) -> Path | None:
        """The tar or Parquet file of that name below the root, or the root itself."""
        for path in map(PurePosixPath, keys.as_paths(name)):
            whole = self._root.name == path.name and self._root.is_file()
            if (file := self._root if whole else self._root / path).is_file():
                return file
        return None


def _members(tar: Path, _time: int) -> dict[str, list[tuple[int, int]]]:
    """Offsets and sizes of the pictures in a tar, by WebDataset's key as a store writes it."""
    found: dict[str, list[tuple[int, int]]] = {}
    for info in tars.members(tar):
        key, extension = keys.of_member(info.name)
        if info.isreg() and f".{extension}" in EXTENSIONS:
            found.setdefault(keys.as_text(key).rstrip(), []).append((info.offset_data, info.size))
    return found
