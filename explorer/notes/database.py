"""The sidecar as an SQLite file: its schema, and connections that say in a sentence what is wrong.

A rollback journal, not a write-ahead log: the file is then always whole by itself, can be copied while nobody writes,
and can be read where nothing may be written. Writers wait for each other; a write takes milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from explorer.notes.errors import NotesError

SCHEMA_VERSION = 1
APPLICATION_ID = 0x5370_4E74  # "SpNt"
_WAIT = 5.0  # seconds for another writer
_WAIT_READING = 1.0

# Every change is a row and none is ever altered: the newest row of a latent is what stands. `before` is the revision
# that undoing it returns to: 0 is the empty beginning, NULL that there is nothing before.
_SCHEMA = f"""
CREATE TABLE changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    sae TEXT NOT NULL,
    latent INTEGER NOT NULL CHECK (latent >= 0),
    name TEXT,
    text TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('edit', 'undo', 'import')),
    before INTEGER,
    changed_at TEXT NOT NULL
) STRICT;
CREATE INDEX changes_by_latent ON changes (sae, latent, revision);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Raises NotesError where the file is damaged, busy or of another kind. The file must exist."""
    with _sentences(path), closing(_connect(f"file:{quote(str(path))}?mode=ro", _WAIT_READING)) as connection:
        _require_ours(connection, path)
        yield connection


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction; the file is made where it is not there. All or nothing is written."""
    with _sentences(path), closing(_connect(f"file:{quote(str(path))}?mode=rwc", _WAIT)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _blank(connection):
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
            _require_ours(connection, path)
            yield connection
        except BaseException:
            if connection.in_transaction:  # SQLite ends it itself after some errors
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _connect(uri: str, wait: float) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, timeout=wait, isolation_level=None, uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")  # the file may have come from somebody else
    return connection


def _blank(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    if _blank(connection):
        raise NotesError(f"{path} holds no notes yet; it is an empty file")
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise NotesError(f"{path} is a database of something else; move it away, or set SPARSIGHT_NOTES")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise NotesError(f"{path} has notes of schema {version}; this Sparsight reads schema {SCHEMA_VERSION}")


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise NotesError(f"the notes in {path} are in use by somebody else; try again in a moment") from error
        raise NotesError(f"the notes in {path} cannot be read or written ({error})") from error
    except sqlite3.DatabaseError as error:
        raise NotesError(
            f"the notes file {path} is damaged ({error}); move it away or put a copy in its place"
        ) from error
