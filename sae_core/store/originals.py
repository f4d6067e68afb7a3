"""A viewer's own copy of the pictures: a store that is shared without them still says which they are.

A picture is shown only where its bytes have the hash that the store recorded, so neither another file of the same name
nor a store made by somebody hostile shows anything but what was indexed.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

import pyarrow as pa
from PIL import Image

from sae_core import parquets, tars
from sae_core.errors import PictureError, SourceError
from sae_core.pictures import EXTENSIONS, open_picture
from sae_core.store.records import ImageRecord, Thumbnail
from sae_core.thumbnails import encode_thumbnail

SIDE = 256  # pixels of the longer side of what is shown
_MAX_BYTES = 100_000_000
_SPLITS = ("train", "val", "validation", "test")
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
        """Under the key as it is, and with the split's folder added or left out: people name either folder."""
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            return  # a store is somebody else's file: it does not lead out of the folder
        tar, found, member = key.partition(".tar/")
        if found:
            yield from self._of_tar(f"{tar}.tar", member)
            return
        table, found, row = key.rpartition(".parquet/")
        if found:
            yield from self._of_parquet(f"{table}.parquet", row)
            return
        without = [PurePosixPath(*parts[1:])] if parts[0] in _SPLITS and len(parts) > 1 else []
        for path in (PurePosixPath(key), *without, *(PurePosixPath(split, key) for split in _SPLITS)):
            if (file := self._root / path).is_file() and file.stat().st_size <= _MAX_BYTES:
                yield file.read_bytes()

    def _of_parquet(self, name: str, row: str) -> Iterator[bytes]:
        whole = self._root.name == PurePosixPath(name).name and self._root.is_file()
        file = self._root if whole else self._root / name
        if file.is_file() and row.isdecimal():
            try:
                data = parquets.opened(str(file), None, parquets.state_of(file)).row(int(row)).data
            except (pa.ArrowException, ValueError, KeyError) as error:
                raise LookupError(name) from error
            if data and len(data) <= _MAX_BYTES:
                yield data

    def _of_tar(self, name: str, member: str) -> Iterator[bytes]:
        whole = self._root.name == PurePosixPath(name).name and self._root.is_file()
        tar = self._root if whole else self._root / name
        if not tar.is_file():
            return
        for offset, size in self._members(tar, tar.stat().st_mtime_ns).get(member, ()):
            if size <= _MAX_BYTES:
                with open(tar, "rb") as file:
                    yield os.pread(file.fileno(), size, offset)


def _members(tar: Path, _time: int) -> dict[str, list[tuple[int, int]]]:
    """Offsets and sizes of the pictures in a tar, by WebDataset's key: the path up to the base name's first dot."""
    found: dict[str, list[tuple[int, int]]] = {}
    for info in tars.members(tar):
        folder, _, base = info.name.rpartition("/")
        stem, _, extension = base.partition(".")
        if info.isreg() and f".{extension.lower()}" in EXTENSIONS:
            found.setdefault(f"{folder}/{stem}".lstrip("/"), []).append((info.offset_data, info.size))
    return found
