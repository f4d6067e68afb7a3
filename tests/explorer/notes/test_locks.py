"""Reading names while somebody writes must not break the writer's lock."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from explorer import notes

OTHER = """
import sqlite3, sys
book = sqlite3.connect(sys.argv[1], timeout=0.2, isolation_level=None)
try:
    book.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
"""


def test_looking_at_the_change_counter_keeps_the_locks(tmp_path: Path) -> None:
    """POSIX drops a process's locks on a file when it closes any descriptor of it."""
    path = tmp_path / "notes.sqlite"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("CREATE TABLE t (x)")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (1)")
    before = notes._signature(path)
    assert before is not None and notes._signature(path) == before
    said = subprocess.run([sys.executable, "-c", OTHER, str(path)], capture_output=True, text=True, check=True).stdout
    assert "locked" in said
    writer.execute("COMMIT")
    assert notes._signature(path) != before


def test_a_replaced_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    assert notes._signature(path) is None
    path.write_bytes(b"x" * 100)
    first = notes._signature(path)
    (tmp_path / "other").write_bytes(b"x" * 100)
    (tmp_path / "other").replace(path)
    assert notes._signature(path) not in (None, first)
    path.unlink()
    assert notes._signature(path) is None


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "_open_files", {})
