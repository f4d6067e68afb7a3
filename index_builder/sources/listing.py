"""What lies in a folder: one walk over it, whatever its files turn out to be."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from index_builder.progress import counted
from index_builder.workdir import JOB, LOCK
from sae_core.errors import SourceError
from sae_core.keys import as_key
from sae_core.pictures import EXTENSIONS, HEIC
from sae_core.store import layout

CAPTIONS, TARS, PARQUETS = ".txt", ".tar", ".parquet"
_MOST_TYPES = 5  # that are named


@dataclass
class Listing:
    """Paths below `root` of files that could be read, sorted; how many there are of each other type."""

    root: Path
    pictures: list[str]
    captions: dict[str, str]  # by the picture's path without its extension
    tars: list[str]
    parquets: list[str]
    others: Counter[str] = field(default_factory=Counter)

    def passed_over(self) -> str:
        """How many files of which types, the most frequent first."""
        types = sorted(self.others.items(), key=lambda pair: (-pair[1], pair[0]))
        found = [f"{n:,} {as_key(extension) or 'without an extension'}" for extension, n in types[:_MOST_TYPES]]
        more = [f"{len(types) - _MOST_TYPES} more types"] if len(types) > _MOST_TYPES else []
        return ", ".join(found + more) + (" (convert to JPEG: HEIC cannot be read here)" if self.heic else "")

    @property
    def heic(self) -> bool:
        """Whether there are pictures as telephones write them: what nobody would expect to be passed over."""
        return bool(HEIC & self.others.keys())


def list_folder(root: Path) -> Listing:
    """Lists a folder. Raises SourceError where it, or a folder below it, cannot be read."""
    if not os.access(root, os.R_OK | os.X_OK):
        raise SourceError(f"the folder {root} cannot be read: check its permissions")
    found: dict[str, list[str]] = {kind: [] for kind in ("", CAPTIONS, TARS, PARQUETS)}
    others: Counter[str] = Counter()
    for path in counted(_files_below(root), "list", "file"):
        extension = os.path.splitext(path)[1].lower()
        if extension in EXTENSIONS:
            found[""].append(path)
        elif extension in found and extension:
            found[extension].append(path)
        else:
            others[extension] += 1
    pictures, texts, tars, parquets = map(sorted, found.values())
    return Listing(root, pictures, _beside(pictures, texts), tars, parquets, others)


def _beside(pictures: list[str], texts: list[str]) -> dict[str, str]:
    """The texts that have the name of a picture; `.txt` rather than `.TXT`, which sorts before it."""
    by_stem = {os.path.splitext(text)[0]: text for text in texts}
    stems = (os.path.splitext(picture)[0] for picture in pictures)
    return {stem: by_stem[stem] for stem in stems if stem in by_stem}


def _files_below(root: Path) -> Iterator[str]:
    """Relative paths of files that are not hidden, in folders that are neither hidden nor a store nor a build's own.

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
            below = os.path.relpath(folder, root)
            for name in files:
                if not name.startswith("."):
                    yield name if below == os.curdir else os.path.join(below, name)


def _made_by_us(files: Set[str]) -> bool:
    """Whether these are a store's, or an unfinished build's: `--out` may lie among the pictures."""
    return {layout.MANIFEST, layout.IMAGES} <= files or {JOB, LOCK} <= files


def _unreadable(error: OSError) -> None:
    raise SourceError(f"the folder {error.filename} cannot be read: {error.strerror}") from error
