"""The notes of one SAE: read, saved, undone, exported and imported. No Streamlit here."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from explorer.notes.database import reading, writing
from explorer.notes.errors import NoteConflict, NotesError
from explorer.notes.records import MAX_NAME, MAX_TEXT, Change, Choice, Comparison, Kind, Note, Preview, Words
from explorer.notes.texts import cleaned

_COLUMNS = "latent, name, text, revision, changed_at, before"
_NEWEST = (
    f"SELECT {_COLUMNS} FROM changes WHERE revision IN "
    "(SELECT max(revision) FROM changes WHERE sae = ? AND latent BETWEEN 0 AND ? GROUP BY latent) ORDER BY latent"
)


@dataclass(frozen=True)
class NoteBook:
    """Notes in the file at `path`, of the SAE with this fingerprint. Everything may raise NotesError."""

    path: Path
    sae: str
    n_latents: int

    def all(self) -> dict[int, Note]:
        """Every latent that has a name or a note, by number."""
        if not self._begun():
            return {}
        with reading(self.path) as connection:
            rows = connection.execute(_NEWEST, (self.sae, self.n_latents - 1)).fetchall()
        notes = (_note(row) for row in rows)
        return {note.latent: note for note in notes if not note.empty}

    def get(self, latent: int) -> Note:
        """What stands now; an empty note where nobody has said anything."""
        if not self._begun():
            return Note(latent)
        with reading(self.path) as connection:
            return self._current(connection, latent)

    def history(self, latent: int) -> tuple[Change, ...]:
        """Every change, the newest first."""
        if not self._begun():
            return ()
        query = "SELECT kind, name, text, revision, changed_at FROM changes WHERE sae = ? AND latent = ?"
        with reading(self.path) as connection:
            rows = connection.execute(f"{query} ORDER BY revision DESC", (self.sae, latent)).fetchall()
        return tuple(
            Change(kind, _bounded(name, MAX_NAME), _bounded(text, MAX_TEXT), revision, _time(at))
            for kind, name, text, revision, at in rows
        )

    def save(self, latent: int, name: str | None, text: str | None, based_on: int) -> Note:
        """Writes both. Raises NoteConflict where `based_on`, the revision that the form showed, is not the newest."""
        self._check(latent)
        words = cleaned(name, text)
        with writing(self.path) as connection:
            now = self._current(connection, latent)
            if (now.name, now.text) == words:
                return now
            if now.revision != based_on:
                raise NoteConflict(now)
            self._write(connection, latent, words, "edit", before=now.revision)
            return self._current(connection, latent)

    def undo(self, latent: int, based_on: int) -> Note:
        """Returns to what stood before the last change; again, to what stood before that."""
        self._check(latent)
        with writing(self.path) as connection:
            now = self._current(connection, latent)
            if now.revision != based_on:
                raise NoteConflict(now)
            if not now.undoable:
                raise NotesError(f"there is nothing to undo for #{latent}")
            self._write(connection, latent, *self._before(connection, now.revision))
            return self._current(connection, latent)

    def compare(self, entries: Mapping[int, Words]) -> Preview:
        """What an import would find; nothing is written."""
        mine = self.all()
        return _preview([Comparison(mine.get(n, Note(n)), words) for n, words in sorted(entries.items())])

    def take(self, entries: Mapping[int, Words], choice: Choice) -> int:
        """Imports, in one transaction, against what stands at that moment. The number of latents that changed."""
        for latent in entries:
            self._check(latent)
        with writing(self.path) as connection:
            found = [Comparison(self._current(connection, n), words) for n, words in sorted(entries.items())]
            changed = [one for one in found if one.merged(choice) != (one.mine.name, one.mine.text)]
            for one in changed:
                self._write(connection, one.mine.latent, one.merged(choice), "import", before=one.mine.revision)
        return len(changed)

    def _begun(self) -> bool:
        """A missing or empty file holds no notes, and that is no error."""
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    def _check(self, latent: int) -> None:
        if not 0 <= latent < self.n_latents:
            raise NotesError(f"there is no latent {latent}; this store has 0 … {self.n_latents - 1:,}")

    def _current(self, connection: sqlite3.Connection, latent: int) -> Note:
        query = f"SELECT {_COLUMNS} FROM changes WHERE sae = ? AND latent = ? ORDER BY revision DESC LIMIT 1"
        row = connection.execute(query, (self.sae, latent)).fetchone()
        return _note(row) if row else Note(latent)

    def _before(self, connection: sqlite3.Connection, revision: int) -> tuple[Words, Kind, int | None]:
        """The words that undoing a revision brings back, and where undoing once more would lead."""
        query = (
            "SELECT name, text, before FROM changes WHERE revision = (SELECT before FROM changes WHERE revision = ?)"
        )
        row = connection.execute(query, (revision,)).fetchone()
        return (Words(row[0], row[1]), "undo", row[2]) if row else (Words(None, None), "undo", None)

    def _write(self, connection: sqlite3.Connection, latent: int, words: Words, kind: Kind, before: int | None) -> None:
        connection.execute(
            "INSERT INTO changes (sae, latent, name, text, kind, before, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.sae, latent, *words, kind, before, datetime.now(UTC).isoformat(timespec="seconds")),
        )


def _preview(found: Sequence[Comparison]) -> Preview:
    return Preview(
        new=tuple(one for one in found if not one.same and not one.conflicting),
        same=tuple(one for one in found if one.same),
        conflicting=tuple(one for one in found if one.conflicting),
    )


def _note(row: Sequence[Any]) -> Note:
    latent, name, text, revision, changed_at, before = row
    return Note(
        latent, _bounded(name, MAX_NAME), _bounded(text, MAX_TEXT), revision, _time(changed_at), before is not None
    )


def _bounded(said: Any, limit: int) -> str | None:
    """The file may have come from somebody else's hands."""
    return said[:limit] if isinstance(said, str) and said else None


def _time(said: Any) -> datetime:
    try:
        return datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return datetime.fromtimestamp(0, UTC)
