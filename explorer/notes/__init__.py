"""Names and notes that people give to latents, in a small SQLite file beside the store (docs/notes.md).

`texts(store)` is what pages need: every latent with a name or note, by number. It is cheap (one stat and 100 bytes
where nothing changed), never raises, and is empty where the notes cannot be read; `problem(store)` then says why.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from explorer.notes.book import NoteBook
from explorer.notes.errors import NoteConflict, NotesError
from explorer.notes.place import notes_path, read_only_reason
from explorer.notes.records import Note
from sae_core import LatentStore

__all__ = ["Note", "NoteBook", "NoteConflict", "NotesError", "note_book", "problem", "read_only", "texts"]

_Key = tuple[Path, str, int, tuple[int, ...] | None]
_COUNTER = slice(24, 28)  # SQLite's file change counter: another number after every transaction
_TRY_AGAIN = 2.0  # seconds after which a file that could not be read is tried again


class _Read(NamedTuple):
    key: _Key
    notes: Mapping[int, Note]
    problem: str | None
    at: float


_lock = threading.Lock()
_last: _Read | None = None


def note_book(store: LatentStore) -> NoteBook:
    """The notes of the store's SAE, to read and to write."""
    return NoteBook(notes_path(store.path), store.manifest.sae.fingerprint, store.n_latents)


def texts(store: LatentStore) -> Mapping[int, Note]:
    """Every latent that people named or noted, by number."""
    return _read(note_book(store)).notes


def problem(store: LatentStore) -> str | None:
    """Why the notes cannot be shown, in one sentence; None where they can."""
    return _read(note_book(store)).problem


def read_only(store: LatentStore) -> str | None:
    """Why nothing can be saved, in one sentence; None where it can."""
    return read_only_reason(notes_path(store.path))


def _read(book: NoteBook) -> _Read:
    global _last
    key = (book.path, book.sae, book.n_latents, _signature(book.path))
    with _lock:
        if _last and _last.key == key and (_last.problem is None or time.monotonic() - _last.at < _TRY_AGAIN):
            return _last
        try:
            _last = _Read(key, book.all(), None, time.monotonic())
        except NotesError as error:
            _last = _Read(key, {}, str(error), time.monotonic())
        return _last


def _signature(path: Path) -> tuple[int, ...] | None:
    """Differs after every change, and when the file was replaced; None where there is none."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            return status.st_ino, status.st_size, status.st_mtime_ns, int.from_bytes(file.read(28)[_COUNTER])
    except OSError:
        return None
