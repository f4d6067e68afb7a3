"""The protocol of a source, and what its files look like from outside."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from sae_core.errors import ChangedError, PictureError

_MOST_BYTES = 1 << 30  # of a file: a picture of as many pixels as are decoded has fewer; only many pages have more


@dataclass(frozen=True)
class RawPicture:
    """One sample as the source holds it."""

    data: bytes
    label: str | None = None
    caption: str | None = None
    split: str | None = None


class Source(Protocol):
    """A fixed, ordered list of samples; instances are sent to worker processes."""

    @property
    def kind(self) -> Literal["folder", "webdataset", "parquet"]:
        """Which of the kinds we read."""
        ...

    @property
    def name(self) -> str:
        """Of the folder or tar, without its path."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """Unique, relative to the source, valid UTF-8."""
        ...

    def state_sha256(self) -> str:
        """Hash of what the files look like from outside (names, sizes, times)."""
        ...

    def files(self) -> Iterable[Path]:
        """The files, where they are on a disk."""
        ...

    def read(self, position: int) -> RawPicture:
        """The sample at a position of `keys`. Raises PictureError where it cannot be read.

        Raises ChangedError where the file that holds it is not the one that was listed.
        """
        ...


def listing_sha256(keys: Iterable[str]) -> str:
    """Hash of the keys in order: a resumed build must see the same listing."""
    digest = hashlib.sha256()
    for key in keys:
        digest.update(key.encode() + b"\n")
    return digest.hexdigest()


def state_sha256(files: Iterable[tuple[str, os.stat_result]]) -> str:
    """Hash of names, sizes and times of modification."""
    return listing_sha256(f"{name} {file_state(stat)}" for name, stat in files)


def file_state(stat: os.stat_result) -> str:
    """Size and time of modification of a file."""
    return f"{stat.st_size} {stat.st_mtime_ns}"


def check_unchanged(source: Source, state: str) -> None:
    """Raises ChangedError where the files no longer look as they did when their `state_sha256` was taken."""
    try:
        if source.state_sha256() == state:
            return
        name = os.fspath(max(source.files(), key=lambda path: os.lstat(path).st_ctime_ns, default=source.name))
    except OSError as error:  # it is gone
        name = os.fsdecode(error.filename or source.name)
    raise changed(name)


def changed(name: str) -> ChangedError:
    """The error for a file that is another one than was listed."""
    return ChangedError(f"{name} has changed since it was listed")


def check_size(n_bytes: int) -> None:
    """Raises PictureError for a file that is too large to be read: it could take the memory of the whole build."""
    if n_bytes > _MOST_BYTES:
        raise PictureError("too-large", f"the file has {n_bytes:,} bytes; at most {_MOST_BYTES:,} are read")


def limited(source: Source, limit: int | None) -> Source:
    """The first `limit` samples of a source."""
    if limit is None or limit >= len(source.keys):
        return source
    kept: Source = dataclasses.replace(source, keys=source.keys[:limit])  # type: ignore[type-var]
    return kept
