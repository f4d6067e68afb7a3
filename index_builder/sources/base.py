"""The protocol of a source, and how a person's word for one is read."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from sae_core.errors import SourceError

_MAX_TEXT = 10_000  # characters of a label, caption or message


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
    def kind(self) -> Literal["folder", "webdataset"]:
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

    def read(self, position: int) -> RawPicture:
        """The sample at a position of `keys`. Raises PictureError where it cannot be read."""
        ...


def listing_sha256(keys: Iterable[str]) -> str:
    """Hash of the keys in order: a resumed build must see the same listing."""
    digest = hashlib.sha256()
    for key in keys:
        digest.update(key.encode() + b"\n")
    return digest.hexdigest()


def state_sha256(files: Iterable[tuple[str, os.stat_result]]) -> str:
    """Hash of names, sizes and times of modification."""
    return listing_sha256(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in files)


def open_source(images: str) -> Source:
    """Opens a folder, a tar, a folder of tars or a pattern of tars. Raises SourceError in one sentence."""
    from index_builder.sources.folder import FolderSource
    from index_builder.sources.webdataset import WebDatasetSource

    path = Path(os.path.expanduser(images))
    if path.is_dir():
        folder = FolderSource.scan(path)
        tars = sorted(path.glob("*.tar"))
        if tars and folder.keys:
            raise SourceError(f"{images} holds both pictures and tars: name the tars with a pattern, or move them")
        return _filled(WebDatasetSource.scan(tars, path.resolve().name) if tars else folder, images)
    if path.is_file():
        if path.suffix != ".tar":
            raise SourceError(
                f"{images} is neither a folder nor a .tar (compressed tars cannot be read at random: unpack it)"
            )
        return _filled(WebDatasetSource.scan([path], path.name), images)
    matches = sorted(Path(match) for match in glob.glob(str(path)) if match.endswith(".tar"))
    if matches:
        return _filled(WebDatasetSource.scan(matches, path.parent.resolve().name), images)
    raise SourceError(f"there is no folder and no tar at {images}")


def _filled(source: Source, images: str) -> Source:
    if not source.keys:
        raise SourceError(f"{images} holds no pictures (files ending in .jpg, .png, .webp, … or WebDataset samples)")
    return source


def clean(text: object) -> str | None:
    """Text as Parquet can hold it; None for nothing."""
    said = str(text)[:_MAX_TEXT].encode("utf-8", "backslashreplace").decode() if text is not None else ""
    return said.strip() or None
