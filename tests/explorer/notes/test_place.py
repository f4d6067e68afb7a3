"""Where notes lie, who may write them, and what pages read of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer import notes
from explorer.notes.place import notes_path, read_only_reason
from sae_core import LatentStore


@pytest.fixture
def placed(store: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LatentStore:
    monkeypatch.setenv("SPARSIGHT_NOTES", str(tmp_path / "n.sqlite"))
    return store


def test_beside_the_store_never_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SPARSIGHT_NOTES", raising=False)
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path / "demo")
    wanted = tmp_path / "demo.notes.sqlite"
    for said in (tmp_path / "demo", Path(f"{tmp_path}/demo/"), Path(), tmp_path / "demo" / "x" / ".."):
        assert notes_path(said) == wanted
    monkeypatch.setenv("SPARSIGHT_NOTES", "~/mine.sqlite")
    assert notes_path(tmp_path / "demo") == Path.home() / "mine.sqlite"


@pytest.mark.parametrize("said", ["1", "true", "YES", " on "])
def test_read_only_by_wish(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str) -> None:
    assert read_only_reason(tmp_path / "n.sqlite") is None
    monkeypatch.setenv("SPARSIGHT_READ_ONLY", said)
    assert read_only_reason(tmp_path / "n.sqlite") == "This explorer is read-only."


def test_read_only_by_circumstance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "does not exist" in (read_only_reason(tmp_path / "nowhere" / "n.sqlite") or "")
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path)  # root may write anywhere
    assert "is not writable here" in (read_only_reason(tmp_path / "n.sqlite") or "")


def test_pages_see_every_change_at_once(placed: LatentStore) -> None:
    assert notes.texts(placed) == {}
    book = notes.note_book(placed)
    revision = 0
    for name in ("a", "b", "c", "d"):  # the same size, within one tick of the clock
        revision = book.save(3, name, "", revision).revision
        assert notes.texts(placed)[3].name == name
    book.path.unlink()
    assert notes.texts(placed) == {}


def test_reading_again_is_cheap(placed: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.note_book(placed).save(3, "a", "", 0)
    seen = notes.texts(placed)
    monkeypatch.setattr("explorer.notes.book.reading", None)  # nothing opens the database again
    assert notes.texts(placed) is seen


def test_a_damaged_file_leaves_the_app_without_notes(placed: LatentStore) -> None:
    notes.note_book(placed).save(3, "a", "", 0)
    assert notes.problem(placed) is None
    notes.note_book(placed).path.write_bytes(b"not a database" * 50)
    assert notes.texts(placed) == {}
    assert "is damaged" in (notes.problem(placed) or "")
