"""The protocol of a source, and how a person's word for one is read."""

from __future__ import annotations

import glob
import hashlib
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from sae_core.errors import ChangedError, SourceError
from sae_core.keys import as_text
from sae_core.pictures import EXTENSIONS

HUB_PREFIX = "hf://"
_FILES = frozenset({".tar", ".parquet"})
log = logging.getLogger("sparsight")
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


def open_source(*images: str) -> Source:
    """Opens a folder of pictures, tars or Parquet files, a data set of the hub, or one such file, several, a pattern.

    Raises SourceError in one sentence.
    """
    if len(images) != 1:
        return _filled(_open_several(images), f"what --images names ({len(images)} files)")
    (said,) = images
    if not said:
        raise SourceError("--images names nothing")
    if said.startswith(HUB_PREFIX):
        from index_builder.sources.hub import open_hub

        return _filled(open_hub(said), said)
    path = Path(os.path.expanduser(said))
    if path.is_dir():
        return _filled(_open_folder(path, said), said)
    if path.is_file():
        return _filled(_open_files([path], clean_name(path), said), said)
    if matches := _matches(path):
        return _filled(_open_files(matches, clean_name(path.parent.resolve()), said), said)
    raise SourceError(f"there is no folder, no tar and no Parquet file at {said}")


def _open_several(images: Sequence[str]) -> Source:
    """Tars or Parquet files, as a shell that expands a pattern passes them: the same source as the pattern itself."""
    paths: set[Path] = set()
    for said in images:
        path = Path(os.path.expanduser(said))
        if said.startswith(HUB_PREFIX) or path.is_dir():
            raise SourceError(f"--images takes one folder or data set, or several files, and {said} is one of several")
        found = {path} if path.is_file() else {*_matches(path)}
        if not found:
            raise SourceError(f"there is no tar and no Parquet file at {said}")
        paths |= found
    if not paths:
        raise SourceError("--images names nothing")
    return _open_files(
        sorted(paths), clean_name(min(paths).parent.resolve()), f"{images[0]} and {len(images) - 1} more"
    )


def _matches(pattern: Path) -> list[Path]:
    found = map(Path, glob.glob(os.fspath(pattern), recursive=True))
    return sorted(path for path in found if path.suffix.lower() in _FILES)


def _open_folder(path: Path, images: str) -> Source:
    """Pictures anywhere below it, or else tars, or else Parquet files; not a mixture with pictures."""
    from index_builder.sources.folder import FolderSource
    from index_builder.sources.listing import PARQUETS, TARS, list_folder

    found = list_folder(path)
    beside = [tar for tar in found.tars if os.sep not in tar]  # one further down may be anything
    if found.pictures and (beside or found.parquets):
        held = "tars" if beside else "Parquet files"
        raise SourceError(f"{images} holds both pictures and {held}: name the {held} with a pattern, or move them")
    for kind, files in ((TARS, found.tars), (PARQUETS, found.parquets)):
        if files and (found.pictures or (kind == PARQUETS and found.tars)):  # img2dataset writes both
            found.others[kind] = len(files)
    if found.others and (found.pictures or found.tars or found.parquets):
        log.info("passed over in %s: %s", path, found.passed_over())
    if found.pictures:
        return FolderSource.of(found)
    if found.heic and not (found.tars or found.parquets):
        raise SourceError(f"{images} holds no pictures that can be read, but {found.passed_over()}")
    files = found.tars or found.parquets
    return (
        _open_files([path / file for file in files], clean_name(path.resolve()), images)
        if files
        else FolderSource.of(found)
    )


def _open_files(paths: Sequence[Path], name: str, images: str) -> Source:
    from index_builder.sources.parquet import ParquetSource
    from index_builder.sources.webdataset import WebDatasetSource

    kinds = {path.suffix.lower() for path in paths}
    if paths[0].suffix.lower() in EXTENSIONS:
        raise SourceError(f"{paths[0]} is a picture: name the folder that it lies in")
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


def decoded(text: bytes) -> str:
    """Text of a file, without the mark that some editors begin it with."""
    return text.decode("utf-8-sig", "replace")


def clean_name(path: Path) -> str:
    """The last part of a path as a manifest can hold it: bytes that are no UTF-8 are spelled out."""
    return clean(os.fsencode(path.name).decode("utf-8", "backslashreplace")) or "/"


def clean(text: object) -> str | None:
    """Text as Parquet can hold it; None for nothing."""
    said = as_text(str(text)[:_MAX_TEXT]) if text is not None else ""
    return said.strip() or None
