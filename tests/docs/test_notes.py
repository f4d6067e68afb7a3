"""docs/notes.md against the code: the table it describes, its bounds, its example file."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from explorer.export_routes import export_routes
from explorer.notes import NoteBook
from explorer.notes.database import APPLICATION_ID, SCHEMA_VERSION
from explorer.notes.exchange import NotesFile
from explorer.notes.records import MAX_NAME, MAX_TEXT
from explorer.views.collection import MAX_LATENTS
from sae_core.references import REPOSITORY_ROOT

PAGE = (REPOSITORY_ROOT / "docs" / "notes.md").read_text()


def test_columns(tmp_path: Path) -> None:
    book = NoteBook(tmp_path / "n.sqlite", "a" * 64, 10)
    book.save(1, "x", "", 0)
    with closing(sqlite3.connect(book.path)) as file:
        columns = [row[1] for row in file.execute("PRAGMA table_info(changes)")]
    table = PAGE.split("| column |")[1].split("\n\n")[0]
    described = [
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    assert described == columns


def test_bounds_and_versions() -> None:
    said = " ".join(PAGE.split())
    assert f"A name has at most {MAX_NAME} characters, a note {MAX_TEXT:,}." in said
    assert f"`PRAGMA user_version` ({SCHEMA_VERSION})" in said
    assert f"`0x{APPLICATION_ID:X}`" in said
    assert f"at most {MAX_LATENTS} latents" in said


def test_the_example_is_such_a_file() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    file = json.loads(example)
    file["sae"] = file["sae"].rstrip("…").ljust(64, "0")
    assert NotesFile.model_validate(file).notes[0].name == "balloons"


def test_addresses() -> None:
    named = {route.path for route in export_routes()}  # type: ignore[attr-defined]
    assert {f"/{path}" for path in re.findall(r"`(export/[\w.]+)`", PAGE)} == named
