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

HUB_PREFIX = "hf://"
_FILES = frozenset({".tar", ".parquet"})
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
    """Opens a folder of pictures, tars or Parquet files, one such file, a pattern, or a data set of the hub.

    Raises SourceError in one sentence.
    """
    if images.startswith(HUB_PREFIX):
        from index_builder.sources.hub import open_hub

        return _filled(open_hub(images), images)
    path = Path(os.path.expanduser(images))
    if path.is_dir():
        return _filled(_open_folder(path, images), images)
    if path.is_file():
        return _filled(_open_files([path], path.name, images), images)
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True) if Path(match).suffix in _FILES)
    if matches:
        return _filled(_open_files(matches, path.parent.resolve().name, images), images)
    raise SourceError(f"there is no folder, no tar and no Parquet file at {images}")


def _open_folder(path: Path, images: str) -> Source:
    """Pictures anywhere below it, or tars in it, or Parquet files anywhere below it; not a mixture."""
    from index_builder.sources.folder import FolderSource, files_below

    folder = FolderSource.scan(path)
    tars = sorted(tar for tar in path.glob("*.tar") if not tar.name.startswith("."))  # ._x.tar is macOS's own
    parquets = [] if tars else [path / found for found in sorted(files_below(path, {".parquet"}))]
    if (tars or parquets) and folder.keys:
        held = "tars" if tars else "Parquet files"
        raise SourceError(f"{images} holds both pictures and {held}: name the {held} with a pattern, or move them")
    return _open_files(tars or parquets, path.resolve().name, images) if tars or parquets else folder


def _open_files(paths: Sequence[Path], name: str, images: str) -> Source:
    from index_builder.sources.parquet import ParquetSource
    from index_builder.sources.webdataset import WebDatasetSource

    kinds = {path.suffix for path in paths}
    if kinds == {".tar"}:
        return WebDatasetSource.scan(paths, name)
    if kinds == {".parquet"}:
        return ParquetSource.scan(paths, name)
    if kinds <= _FILES:
        raise SourceError(f"{images} matches both tars and Parquet files: name one kind")
    raise SourceError(
        f"{images} is neither a folder nor a .tar nor a .parquet (compressed tars cannot be read at random: unpack it)"
    )


def _filled(source: Source, images: str) -> Source:
    if not source.keys:
        raise SourceError(
            f"{images} holds no pictures (files ending in .jpg, .png, .webp, … or WebDataset or Parquet samples)"
        )
    return source


def clean(text: object) -> str | None:
    """Text as Parquet can hold it; None for nothing."""
    said = str(text)[:_MAX_TEXT].encode("utf-8", "backslashreplace").decode() if text is not None else ""
    return said.strip() or None
