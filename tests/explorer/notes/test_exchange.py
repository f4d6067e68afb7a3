"""Notes as JSON: out and in again, and every wrong file in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.notes import NoteBook, NotesError
from explorer.notes.exchange import exported, imported
from explorer.notes.records import Words
from sae_core import LatentStore
from tests.explorer.notes.conftest import SAE


@pytest.fixture
def file(book: NoteBook) -> dict[str, Any]:
    return {
        "format": "sparsight-notes",
        "schema_version": 1,
        "store": {"name": "somebody's", "version": "0"},
        "sae": SAE,
        "exported_at": "2026-01-01T00:00:00Z",
        "notes": [{"latent": 3, "name": "citrus", "note": None}, {"latent": 4, "note": "=1+1 <b>"}],
    }


def taken(file: Any, book: NoteBook) -> dict[int, Words]:
    return imported(json.dumps(file).encode(), book)


def test_out_and_in_again(store: LatentStore, tmp_path: Path) -> None:
    book = NoteBook(tmp_path / "a.sqlite", store.manifest.sae.fingerprint, store.n_latents)
    book.save(3, "citrus", "two\nlines “quoted” 🍋", 0)
    book.save(5, "cleared", "", 0)
    book.save(5, "", "", book.get(5).revision)
    text = exported(store, book)
    assert json.loads(text)["store"] == {"name": store.manifest.name, "version": store.version}
    other = NoteBook(tmp_path / "b.sqlite", book.sae, store.n_latents)
    entries = imported(text.encode(), other)
    assert [one.mine.latent for one in other.compare(entries).new] == [3]
    assert other.take(entries, "theirs") == 1
    assert (other.get(3).name, other.get(3).text) == ("citrus", "two\nlines “quoted” 🍋")
    assert other.take(entries, "theirs") == 0, "the same file again changes nothing"
    assert len(other.compare(entries).same) == 1


def test_preview_and_choice(book: NoteBook, file: dict[str, Any]) -> None:
    book.save(3, "lemons", "my note", 0)
    entries = taken(file, book)
    preview = book.compare(entries)
    assert [one.mine.latent for one in preview.conflicting] == [3]
    assert [one.mine.latent for one in preview.new] == [4]
    assert preview.same == ()
    assert book.take(entries, "mine") == 1
    assert (book.get(3).name, book.get(4).text) == ("lemons", "=1+1 <b>")
    assert book.take(entries, "theirs") == 1
    assert (book.get(3).name, book.get(3).text) == ("citrus", "my note"), "what the file does not say is kept"
    assert book.undo(3, book.get(3).revision).name == "lemons"


def test_what_only_one_side_says_is_no_conflict(book: NoteBook, file: dict[str, Any]) -> None:
    book.save(3, "", "my note", 0)
    preview = book.compare(taken(file, book))
    assert [one.mine.latent for one in preview.new] == [3, 4]
    book.take(taken(file, book), "mine")
    assert (book.get(3).name, book.get(3).text) == ("citrus", "my note")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sae": "b" * 64}, "notes on another SAE"),
        ({"schema_version": 2}, "no notes file of Sparsight"),
        ({"format": "x"}, "no notes file of Sparsight"),
        ({"notes": [{"latent": "3"}]}, "notes.0.latent"),
        ({"notes": [{"latent": -1}]}, "notes.0.latent"),
        ({"notes": [{"latent": True}]}, "notes.0.latent"),
        ({"notes": [{"latent": 3, "colour": "red"}]}, "notes.0.colour"),
        ({"notes": [{"latent": 500, "name": "x"}]}, "0 … 499"),
        ({"notes": [{"latent": 3, "name": "x"}, {"latent": 3, "name": "y"}]}, "#3 twice"),
        ({"notes": [{"latent": 3, "name": "x" * 81}]}, "#3 in the file: a name has at most 80"),
    ],
)
def test_wrong_files_are_one_sentence(book: NoteBook, file: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    with pytest.raises(NotesError, match=said) as error:
        taken({**file, **changes}, book)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b'{"notes": NaN}'])
def test_broken_json_is_one_sentence(book: NoteBook, data: bytes) -> None:
    with pytest.raises(NotesError, match="this file is no") as error:
        imported(data, book)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300
