"""A folder of pictures. ImageNet's layout gives labels: `train/n01440764/x.JPEG` is split train, label n01440764."""

from __future__ import annotations

import logging
import os
from collections import Counter, deque
from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index_builder.sources.base import RawPicture, clean, state_sha256
from index_builder.workdir import JOB, LOCK
from sae_core.errors import PictureError, SourceError
from sae_core.pictures import EXTENSIONS
from sae_core.store import layout

_SPLITS = frozenset({"train", "val", "validation", "valid", "test"})
_MAX_CAPTION_BYTES = 64 * 1024
_MOST_TYPES = 5  # that are named
log = logging.getLogger("sparsight")


@dataclass(frozen=True)
class FolderSource:
    """Every picture file below a folder, sorted by path; hidden files and other types are passed over."""

    root: Path
    keys: list[str]
    paths: list[str]  # relative, as the file system spells them
    kind: Literal["folder"] = "folder"

    @property
    def name(self) -> str:
        """The folder's own name."""
        return clean(os.fsencode(self.root.resolve().name).decode("utf-8", "backslashreplace")) or "/"

    def state_sha256(self) -> str:
        """Hash of the files' names, sizes and times: a resumed build must find them as they were."""
        root = os.fspath(self.root)
        # A link to nowhere is listed, and rejected when it is read.
        return state_sha256(
            (key, os.lstat(os.path.join(root, path))) for key, path in zip(self.keys, self.paths, strict=False)
        )

    @classmethod
    def scan(cls, root: Path) -> FolderSource:
        """Lists a folder. Raises SourceError where it cannot be read."""
        if not os.access(root, os.R_OK | os.X_OK):
            raise SourceError(f"the folder {root} cannot be read: check its permissions")
        others: Counter[str] = Counter()
        paths = sorted(files_below(root, EXTENSIONS, others))
        keys = [_as_key(path) for path in paths]
        if len(set(keys)) != len(keys):
            raise SourceError(f"two files below {root} have names that differ only in how they are written")
        del others[".txt"]  # captions
        if keys and others:
            log.info("passed over in %s: %s", root, _said(others))
        return cls(root, keys, paths)

    def read(self, position: int) -> RawPicture:
        """Bytes of a file, its label from the folder, its caption from a `.txt` beside it."""
        path = self.root / self.paths[position]
        split, label = _split_and_label(self.keys[position])
        try:
            if path.exists() and not path.is_file():  # a pipe would never end
                raise PictureError("unreadable", "it is no regular file")
            return RawPicture(path.read_bytes(), label, _caption_beside(path), split)
        except OSError as error:
            raise PictureError("unreadable", f"the file cannot be read: {error.strerror}") from error


def files_below(root: Path, extensions: Collection[str], others: Counter[str] | None = None) -> Iterator[str]:
    """Relative paths of files that are not hidden, in folders that are neither hidden nor a store nor a build's own.

    Files of other types are counted in `others`.
    Linked folders are followed, but none twice (a link may lead back up), and after all others, so that a picture has
    the path of the folder that it lies in.
    """
    seen: set[str] = set()
    ahead: deque[str] = deque([os.fspath(root)])
    while ahead:
        for folder, folders, files in os.walk(ahead.popleft(), onerror=_unreadable):
            real = os.path.realpath(folder)
            if real in seen or _made_by_us({*files}):
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            ahead.extend(os.fspath(link) for link in map(Path(folder).joinpath, folders) if link.is_symlink())
            for name in files:
                extension = os.path.splitext(name)[1].lower()
                if name.startswith("."):
                    continue
                if extension in extensions:
                    yield os.path.relpath(os.path.join(folder, name), root)
                elif others is not None:
                    others[extension] += 1


def _said(others: Counter[str]) -> str:
    """How many files of which types."""
    types = sorted(others.items(), key=lambda pair: (-pair[1], pair[0]))
    found = [f"{n:,} {_as_key(extension) or 'without an extension'}" for extension, n in types[:_MOST_TYPES]]
    more = [f"{len(types) - _MOST_TYPES} more types"] if len(types) > _MOST_TYPES else []
    return ", ".join(found + more)


def _made_by_us(files: Set[str]) -> bool:
    """Whether these are a store's, or an unfinished build's: `--out` may lie among the pictures."""
    return {layout.MANIFEST, layout.IMAGES} <= files or {JOB, LOCK} <= files


def _unreadable(error: OSError) -> None:
    raise SourceError(f"the folder {error.filename} cannot be read: {error.strerror}") from error


def _as_key(path: str) -> str:
    """A path as a key: forward slashes, and bytes that are no UTF-8 spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace(os.sep, "/")


def _split_and_label(key: str) -> tuple[str | None, str | None]:
    folders = key.split("/")[:-1]
    split = folders.pop(0) if folders and folders[0].lower() in _SPLITS else None
    return split, folders[0] if folders else None


def _caption_beside(path: Path) -> str | None:
    try:
        with open(path.with_suffix(".txt"), "rb") as file:
            return clean(file.read(_MAX_CAPTION_BYTES).decode("utf-8", "replace"))
    except OSError:
        return None  # most pictures have none
