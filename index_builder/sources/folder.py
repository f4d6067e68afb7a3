"""A folder of pictures. ImageNet's layout gives labels: `train/n01440764/x.JPEG` is split train, label n01440764."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Literal

from index_builder.sources.base import RawPicture, check_size, state_sha256
from index_builder.sources.listing import Listing, list_folder
from index_builder.sources.texts import clean, clean_name, decoded
from sae_core.errors import PictureError, SourceError
from sae_core.keys import SPLITS, as_key

_MAX_CAPTION_BYTES = 64 * 1024


@dataclass(frozen=True)
class FolderSource:
    """Every picture file below a folder, sorted by path; hidden files and other types are passed over."""

    root: Path
    keys: list[str]
    paths: list[str]  # relative, as the file system spells them
    captions: dict[str, str] = field(default_factory=dict)  # the same, by a picture's path without its extension
    kind: Literal["folder"] = "folder"

    @property
    def name(self) -> str:
        """The folder's own name."""
        return clean_name(self.root.resolve())

    def state_sha256(self) -> str:
        """Hash of pictures' and captions' names, sizes and times: a resumed build must find them as they were."""
        root = os.fspath(self.root)
        return state_sha256((key, _stat(os.path.join(root, path))) for key, path in self._named())

    def files(self) -> Iterator[Path]:
        """Pictures and captions."""
        for _, path in self._named():
            yield self.root / path

    @classmethod
    def scan(cls, root: Path) -> FolderSource:
        """Lists a folder. Raises SourceError where it cannot be read."""
        return cls.of(list_folder(root))

    @classmethod
    def of(cls, listing: Listing) -> FolderSource:
        """The pictures of a listing. Raises SourceError where two have the same key."""
        keys = [as_key(path) for path in listing.pictures]
        if len(set(keys)) != len(keys):
            raise SourceError(f"two files below {listing.root} have names that differ only in how they are written")
        return cls(listing.root, keys, listing.pictures, listing.captions)

    def label_counts(self) -> Counter[str]:
        """Pictures by label; no file is opened for it."""
        return Counter(label for _, label in map(_split_and_label, self.keys) if label)

    def read(self, position: int) -> RawPicture:
        """Bytes of a file, its label from the folder, its caption from a `.txt` beside it."""
        path = self.root / self.paths[position]
        split, label = _split_and_label(self.keys[position])
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):  # a pipe would never end
                raise PictureError("unreadable", "it is no regular file")
            check_size(stat.st_size)
            return RawPicture(path.read_bytes(), label, self._caption(position), split)
        except OSError as error:
            raise PictureError("unreadable", f"the file cannot be read: {error.strerror}") from error

    def _named(self) -> Iterator[tuple[str, str]]:
        """Keys and relative paths of pictures and captions."""
        for key, path in zip(self.keys, self.paths, strict=False):  # fewer keys where --limit says so
            yield key, path
            if caption := self._caption_of(path):
                yield as_key(caption), caption

    def _caption_of(self, path: str) -> str | None:
        return self.captions.get(os.path.splitext(path)[0])

    def _caption(self, position: int) -> str | None:
        caption = self._caption_of(self.paths[position])
        try:
            if caption is None or not (self.root / caption).is_file():
                return None
            with open(self.root / caption, "rb") as file:
                return clean(decoded(file.read(_MAX_CAPTION_BYTES)))
        except OSError:
            return None  # the picture is worth more


def _stat(path: str) -> os.stat_result:
    """Of what a link leads to; of the link itself where it leads nowhere: listed, and rejected when it is read."""
    try:
        return os.stat(path)  # noqa: PTH116 (of a million names Path makes seconds)
    except OSError:
        return os.lstat(path)


def _split_and_label(key: str) -> tuple[str | None, str | None]:
    folders = key.split("/")[:-1]
    split = folders.pop(0) if folders and folders[0].lower() in SPLITS else None
    return split, folders[0] if folders else None
