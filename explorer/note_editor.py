"""The name and note of a latent: shown under its title, and the form that changes them."""

from __future__ import annotations

import streamlit as st

from explorer import notes
from explorer.grid import draw
from explorer.notes import Note, NoteBook, NoteConflict, NotesError
from explorer.notes.records import MAX_NAME, MAX_TEXT, Change, Words
from explorer.sections import notes as sections
from explorer.views.names import automatic_name
from sae_core import LatentStore

# Session state: (latent, …) of what the last save or undo was refused for.
_REFUSAL, _CONFLICT = "note-refusal", "note-conflict"
_HISTORY = 5


def draw_title(title: str, store: LatentStore, latent: int) -> None:
    """The title line, "edit" beside it, and underneath what people noted."""
    note, history, refusal = _read(store, latent)
    if refusal or (refusal := notes.read_only(store)):
        draw(title, sections.noted(note), sections.why_read_only(refusal))
        return
    book = notes.note_book(store)
    with st.container(horizontal=True, vertical_alignment="center", key="title-row"):
        draw(title)
        _popover(book, note, history, automatic_name(store, latent).text)
    _draw_outcome(book, note)
    draw(sections.noted(note))


def _read(store: LatentStore, latent: int) -> tuple[Note, tuple[Change, ...], str | None]:
    """What stands, how it came about, and why it cannot be read."""
    book = notes.note_book(store)
    try:
        return book.get(latent), book.history(latent)[:_HISTORY], None
    except NotesError as error:
        return Note(latent), (), str(error)


def _popover(book: NoteBook, note: Note, history: tuple[Change, ...], automatic: str | None) -> None:
    # The revision in every key: what is typed belongs to what stood there when the form was made.
    key = f"note-{book.sae[:12]}-{note.latent}-{note.revision}"
    with st.popover("edit", key=f"{key}-popover"):
        with st.form(key, border=False):
            st.text_input(
                "name", note.name or "", max_chars=MAX_NAME, key=f"{key}-name", placeholder=automatic or "unnamed"
            )
            st.text_area("note", note.text or "", max_chars=MAX_TEXT, key=f"{key}-text", height=140)
            st.form_submit_button("save", on_click=_save_form, args=(book, note, key), key=f"{key}-save")
        if note.undoable:
            st.button("undo the last change", on_click=_undo, args=(book, note), key=f"{key}-undo")
        draw(sections.history(history))


def _save_form(book: NoteBook, note: Note, key: str) -> None:
    words = Words(st.session_state[f"{key}-name"], st.session_state[f"{key}-text"])
    _save(book, note.latent, words, note.revision)


def _save(book: NoteBook, latent: int, mine: Words, based_on: int) -> None:
    """A button's callback: what comes of it is drawn by the run that follows."""
    _forget()
    try:
        book.save(latent, *mine, based_on=based_on)
    except NoteConflict:
        st.session_state[_CONFLICT] = (latent, mine)
    except NotesError as error:
        st.session_state[_REFUSAL] = (latent, str(error))


def _undo(book: NoteBook, note: Note) -> None:
    _forget()
    try:
        book.undo(note.latent, note.revision)
    except NotesError as error:
        st.session_state[_REFUSAL] = (note.latent, str(error))


def _forget() -> None:
    for key in (_REFUSAL, _CONFLICT):
        st.session_state.pop(key, None)


def _draw_outcome(book: NoteBook, note: Note) -> None:
    whose, said = st.session_state.get(_REFUSAL) or (None, "")
    if whose == note.latent:
        draw(sections.not_saved(said))
    whose, mine = st.session_state.get(_CONFLICT) or (None, None)
    if whose == note.latent and mine is not None:
        _draw_conflict(book, mine, note)


def _draw_conflict(book: NoteBook, mine: Words, theirs: Note) -> None:
    """Both versions, and the choice; against what stands now, which may have changed once more."""
    draw(sections.conflict(mine, theirs))
    with st.container(horizontal=True):
        ours = (book, theirs.latent, mine, theirs.revision)
        st.button("save yours instead", on_click=_save, args=ours, key=f"mine-{theirs.revision}")
        st.button("keep what stands there", on_click=_forget, key=f"theirs-{theirs.revision}")
