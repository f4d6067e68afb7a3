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
_open_lock = threading.Lock()
_open_files: dict[Path, int] = {}
_last: _Read | None = None


def note_book(store: LatentStore) -> NoteBook:
    """The notes of the store's SAE, to read and to write."""
    return NoteBook(notes_path(store.path), store.manifest.sae.fingerprint, store.n_latents)


def texts(store: LatentStore) -> Mapping[int, Note]:
    """Every latent that people named or noted, by number; without those that the store's hide-list withholds."""
    found = _read(note_book(store)).notes
    if store.hidden.latents:
        return {latent: note for latent, note in found.items() if latent not in store.hidden.latents}
    return found


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
        descriptor = _descriptor(path)
        status = os.fstat(descriptor)
        return status.st_ino, status.st_size, status.st_mtime_ns, int.from_bytes(os.pread(descriptor, 28, 0)[_COUNTER])
    except OSError:
        return None


def _descriptor(path: Path) -> int:
    """The file, opened once and kept open.

    On POSIX a process that closes any descriptor of a file loses all its locks on that file, those of SQLite's
    connections in other threads too (https://sqlite.org/howtocorrupt.html, 2.2). So ours is closed only when another
    file has taken the place.
    """
    with _open_lock:
        held = _open_files.get(path)
        if held is not None and os.fstat(held).st_ino == path.stat().st_ino:
            return held
        descriptor = _open_files[path] = os.open(path, os.O_RDONLY)
        if held is not None:
            os.close(held)
        return descriptor
