"""How a person's word for a source is read: a folder, files, a pattern, a data set of the hub."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from index_builder.sources.base import Source
from index_builder.sources.texts import clean_name
from sae_core.errors import SourceError
from sae_core.pictures import EXTENSIONS

HUB_PREFIX = "hf://"
_FILES = frozenset({".tar", ".parquet"})
log = logging.getLogger("sparsight")


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
    raise SourceError(f"there is no folder, no tar and no Parquet file at {said}{_of_braces(said)}")


def _of_braces(said: str) -> str:
    """Way out of WebDataset's own spelling, `{00..99}.tar`, in quotes."""
    return " (braces are for the shell: leave out the quotes, or write * for them)" if {*"{}"} <= {*said} else ""


def _open_several(images: Sequence[str]) -> Source:
    """Tars or Parquet files, as a shell that expands a pattern passes them: the same source as the pattern itself."""
    paths: set[Path] = set()
    for said in images:
        path = Path(os.path.expanduser(said))
        if said.startswith(HUB_PREFIX) or path.is_dir():
            raise SourceError(f"--images takes one folder or data set, or several files, and {said} is one of several")
        found = {path} if path.is_file() else {*_matches(path)}
        if not found:
            raise SourceError(f"there is no tar and no Parquet file at {said}{_of_braces(said)}")
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
    if found.others and not (found.tars or found.parquets):
        raise SourceError(f"{_no_pictures(images)}, but {found.passed_over()}")
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
        raise SourceError(_no_pictures(images))
    return source


def _no_pictures(images: str) -> str:
    return f"{images} holds no pictures (files ending in .jpg, .png, .webp, … or WebDataset or Parquet samples)"
