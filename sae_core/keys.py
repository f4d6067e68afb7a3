"""What pictures are called in a store: the builder writes these names, and a viewer's own copy is searched by them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

SPLITS = ("train", "validation", "val", "valid", "test")  # folders of a data set, in whatever case
_ESCAPED = re.compile(
    rb"\\(?:x|udc)([89a-f][0-9a-f])"
)  # never "/" or ".": only bytes that are no ASCII are spelled out


def as_key(path: str) -> str:
    """A path as a key: forward slashes, and bytes that are no UTF-8 spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace(os.sep, "/")


def as_text(said: str) -> str:
    """Text as Parquet can hold it: what stands for bytes that are no UTF-8 is spelled out."""
    return said.encode("utf-8", "backslashreplace").decode()


def as_paths(key: str) -> Iterator[str]:
    """What a key may be called on disk: as it says, or with the bytes that it spells out."""
    yield key
    path = os.fsdecode(_ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), key.encode()))
    if path != key:
        yield path


def of_member(name: str) -> tuple[str, str]:
    """A tar member's key and extension by WebDataset's rule: they part at the base name's first dot.

    The key is empty where nothing stands before that dot. `tar cf x.tar .` writes `./` before every name.
    """
    folder, _, base = name.removeprefix("./").rpartition("/")
    stem, _, extension = base.partition(".")
    return f"{folder}/{stem}".lstrip("/") if stem else "", extension.lower()


def with_other_split(key: str) -> Iterator[str]:
    """The key with its split's folder left out or one added: people name either folder."""
    first, _, rest = key.partition("/")
    if rest and first.lower() in SPLITS:
        yield rest
    for split in SPLITS:
        for folder in (split, split.capitalize(), split.upper()):
            yield f"{folder}/{key}"
