"""The sidecar: what is saved is read again, nothing is lost, and one's work never covers another's unseen."""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from explorer.notes import Note, NoteBook, NoteConflict, NotesError
from explorer.notes.records import MAX_NAME, MAX_TEXT
from explorer.notes.texts import cleaned
from tests.explorer.notes.conftest import N_LATENTS, SAE

ANY_TEXT = st.text(max_size=MAX_NAME)


def test_nothing_is_written_before_the_first_note(book: NoteBook) -> None:
    assert book.all() == {}
    assert book.get(3) == Note(3)
    assert book.history(3) == ()
    assert not book.path.exists()


@settings(max_examples=60)
@given(name=ANY_TEXT, text=st.text(max_size=MAX_TEXT), latent=st.integers(0, N_LATENTS - 1))
def test_what_is_saved_is_read_again(name: str, text: str, latent: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        book = NoteBook(Path(folder) / "n.sqlite", SAE, N_LATENTS)
        saved = book.save(latent, name, text, based_on=0)
        assert (saved.name, saved.text) == cleaned(name, text)
        assert book.get(latent) == saved
        assert book.all() == ({} if saved.empty else {latent: saved})


@given(name=ANY_TEXT, text=st.text())
def test_cleaning_twice_is_cleaning_once(name: str, text: str) -> None:
    words = cleaned(name, text)
    assert cleaned(words.name, words.text) == words
    assert "\n" not in (words.name or "")
    (words.name or "").encode(), (words.text or "").encode()


def test_marks_that_would_turn_other_texts_are_dropped() -> None:
    assert cleaned("\u202ecitrus\x00\u2066 \n fruit\t", " one\r\ntwo\ud800 ") == ("citrus fruit", "one\ntwo")


def test_too_long_is_refused_not_cut(book: NoteBook) -> None:
    assert book.save(1, "x" * MAX_NAME, "y" * MAX_TEXT, 0).name == "x" * MAX_NAME
    with pytest.raises(NotesError, match="a name has at most 80 characters, this one has 81"):
        book.save(2, "x" * (MAX_NAME + 1), "", 0)
    with pytest.raises(NotesError, match="a note has at most 4,000 characters, this one has 4,001"):
        book.save(2, "", "y" * (MAX_TEXT + 1), 0)
    assert list(book.all()) == [1]


@pytest.mark.parametrize("latent", [-1, N_LATENTS])
def test_only_latents_that_exist(book: NoteBook, latent: int) -> None:
    with pytest.raises(NotesError, match="0 … 499"):
        book.save(latent, "x", "", 0)


def test_notes_follow_the_sae(book: NoteBook) -> None:
    book.save(7, "citrus", "", 0)
    assert NoteBook(book.path, "b" * 64, N_LATENTS).all() == {}
    assert NoteBook(book.path, SAE, N_LATENTS).get(7).name == "citrus"


def test_a_form_that_is_behind_changes_nothing(book: NoteBook) -> None:
    book.save(7, "citrus", "mine", 0)
    with pytest.raises(NoteConflict) as refused:
        book.save(7, "lemons", "", 0)
    assert (refused.value.theirs.name, refused.value.theirs.text) == ("citrus", "mine")
    assert refused.value.theirs.changed_at is not None
    with pytest.raises(NoteConflict):
        book.undo(7, based_on=0)
    assert book.get(7).name == "citrus"
    assert book.save(7, "lemons", "", refused.value.theirs.revision).name == "lemons"


def test_saying_the_same_is_no_change_and_no_conflict(book: NoteBook) -> None:
    first = book.save(7, "citrus", "", 0)
    assert book.save(7, " citrus ", None, 0) == first
    assert len(book.history(7)) == 1


def test_undo_goes_back_step_by_step_and_a_cleared_name_is_a_step(book: NoteBook) -> None:
    note = Note(7)
    for name in ("citrus", "lemons", ""):
        note = book.save(7, name, "", note.revision)
    seen = []
    while note.undoable:
        note = book.undo(7, note.revision)
        seen.append(note.name)
    assert seen == ["lemons", "citrus", None]
    with pytest.raises(NotesError, match="nothing to undo"):
        book.undo(7, note.revision)
    assert [change.kind for change in book.history(7)] == ["undo"] * 3 + ["edit"] * 3
    note = book.save(7, "limes", "", note.revision)
    assert book.undo(7, note.revision).empty


def test_undo_of_a_latent_that_nobody_touched(book: NoteBook) -> None:
    book.save(1, "x", "", 0)
    with pytest.raises(NotesError, match="nothing to undo for #2"):
        book.undo(2, 0)


class NotesAgainstAModel(RuleBasedStateMachine):
    """Saves and undoes in any order, against stacks in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.book = NoteBook(Path(self.folder.name) / "n.sqlite", SAE, 4)
        self.stacks: dict[int, list[tuple[str | None, str | None]]] = {n: [(None, None)] for n in range(4)}

    @rule(latent=st.integers(0, 3), name=st.sampled_from(["", "a", "b"]), text=st.sampled_from(["", "c"]))
    def save(self, latent: int, name: str, text: str) -> None:
        self.book.save(latent, name, text, self.book.get(latent).revision)
        if self.stacks[latent][-1] != (name or None, text or None):
            self.stacks[latent].append((name or None, text or None))

    @rule(latent=st.integers(0, 3))
    def undo(self, latent: int) -> None:
        note = self.book.get(latent)
        assert note.undoable == (len(self.stacks[latent]) > 1)
        if note.undoable:
            self.stacks[latent].pop()
            self.book.undo(latent, note.revision)

    @invariant()
    def agrees(self) -> None:
        wanted = {latent: stack[-1] for latent, stack in self.stacks.items() if stack[-1] != (None, None)}
        assert {latent: (note.name, note.text) for latent, note in self.book.all().items()} == wanted

    def teardown(self) -> None:
        self.folder.cleanup()


NotesAgainstAModel.TestCase.settings = settings(max_examples=12, stateful_step_count=20)
TestAgainstAModel = NotesAgainstAModel.TestCase


def _write_many(path: Path, writer: int, n: int) -> None:
    book = NoteBook(path, SAE, N_LATENTS)
    for number in range(n):
        book.save(writer * n + number, f"name {number}", f"by {writer}", 0)
        while True:  # and all of them on one latent
            try:
                seen = book.get(499)
                book.save(499, None, f"{(seen.text or '')}{writer}", seen.revision)
                break
            except NoteConflict:
                continue


def test_writers_at_once_lose_nothing(book: NoteBook) -> None:
    """Processes, as with several servers on one store: the file does not exist when they start."""
    n, context = 12, multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_many, args=(book.path, writer, n)) for writer in range(3)]
    for process in writers:
        process.start()
    for process in writers:
        process.join(60)
    assert [process.exitcode for process in writers] == [0, 0, 0]
    notes = book.all()
    assert len(notes) == 3 * n + 1
    assert sorted(notes[499].text or "") == sorted("0" * n + "1" * n + "2" * n)


def test_a_damaged_file_is_one_sentence(book: NoteBook) -> None:
    book.path.write_bytes(b"this is no database, whatever its name says" * 100)
    for act in (book.all, lambda: book.get(1), lambda: book.save(1, "x", "", 0)):
        with pytest.raises(NotesError, match=r"is damaged \(.*\); move it away") as error:
            act()
        assert "\n" not in str(error.value)
    assert book.path.read_bytes().startswith(b"this is no database"), "what is damaged is not touched"


def test_damage_inside(book: NoteBook) -> None:
    for latent in range(60):
        book.save(latent, f"name {latent}", "x" * 500, 0)
    data = bytearray(book.path.read_bytes())
    data[4096:-4096] = b"\xff" * (len(data) - 8192)
    book.path.write_bytes(data)
    with pytest.raises(NotesError, match="damaged"):
        book.all()


def test_a_database_of_something_else_is_not_written_into(book: NoteBook) -> None:
    with closing(sqlite3.connect(book.path)) as other, other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(NotesError, match="a database of something else"):
        book.save(1, "x", "", 0)
    with closing(sqlite3.connect(book.path)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("recipes",)]


def test_notes_of_a_later_schema_are_left_alone(book: NoteBook) -> None:
    book.save(1, "x", "", 0)
    with closing(sqlite3.connect(book.path)) as later:
        later.execute("PRAGMA user_version = 2")
    with pytest.raises(NotesError, match="schema 2; this Sparsight reads schema 1"):
        book.all()


def test_a_busy_file_is_a_sentence_and_no_loss(book: NoteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.notes.database._WAIT", 0.05)
    book.save(1, "x", "", 0)
    with closing(sqlite3.connect(book.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotesError, match="in use by somebody else"):
            book.save(2, "y", "", 0)
        assert book.get(1).name == "x", "readers go on meanwhile"
        other.execute("ROLLBACK")
    assert book.save(2, "y", "", 0).name == "y"


def test_what_somebody_else_wrote_into_the_file_stays_within_bounds(book: NoteBook) -> None:
    book.save(1, "x", "", 0)
    with closing(sqlite3.connect(book.path)) as other, other:
        other.execute("UPDATE changes SET name = ?, changed_at = 'soon'", ("n" * 5000,))
        other.execute("INSERT INTO changes VALUES (9, ?, 4000000, 'far', NULL, 'edit', 0, '')", (SAE,))
    assert list(book.all()) == [1]
    assert book.all()[1].name == "n" * MAX_NAME
