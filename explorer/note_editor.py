"""The name and note of a latent: shown under its title, and the form that changes them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer import notes
from explorer.grid import draw
from explorer.notes import Note, NoteBook, NoteConflict, NotesError
from explorer.notes.records import MAX_NAME, MAX_TEXT, Words
from explorer.sections import notes as sections
from explorer.views.names import automatic_name
from sae_core import LatentStore

# Session state: what the last save or undo came to, until the next page is drawn.
_REFUSAL, _CONFLICT, _DONE = "note-refusal", "note-conflict", "note-done"
_HISTORY = 5


def draw_title(title: str, store: LatentStore, latent: int) -> None:
    """The title line, "edit" beside it, and underneath what people noted."""
    note, refusal = _read(store, latent)
    if refusal or (refusal := notes.read_only(store)):
        draw(title, sections.noted(note), sections.why_read_only(refusal))
        return
    book = notes.note_book(store)
    with st.container(horizontal=True, vertical_alignment="center", key="title-row"):
        draw(title)
        _popover(book, note, automatic_name(store, latent).text)
    _draw_outcome(book, latent)
    draw(sections.noted(note))


def _read(store: LatentStore, latent: int) -> tuple[Note, str | None]:
    try:
        return notes.note_book(store).get(latent), None
    except NotesError as error:
        return Note(latent), str(error)


def _popover(book: NoteBook, note: Note, automatic: str | None) -> None:
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
            st.button(
                "undo the last change", on_click=_act, args=(note.latent, lambda: _undo(book, note)), key=f"{key}-undo"
            )
        draw(sections.history(book.history(note.latent)[:_HISTORY]))


def _save_form(book: NoteBook, note: Note, key: str) -> None:
    words = Words(st.session_state[f"{key}-name"], st.session_state[f"{key}-text"])
    _act(note.latent, lambda: _save(book, note.latent, words, note.revision), words)


def _save(book: NoteBook, latent: int, words: Words, based_on: int) -> str:
    book.save(latent, *words, based_on=based_on)
    return "Saved."


def _undo(book: NoteBook, note: Note) -> str:
    book.undo(note.latent, note.revision)
    return "The last change is undone."


def _act(latent: int, act: Callable[[], str], mine: Words | None = None) -> None:
    """A button's callback: what comes of it is drawn by the run that follows."""
    for key in (_REFUSAL, _CONFLICT, _DONE):
        st.session_state.pop(key, None)
    try:
        st.session_state[_DONE] = act()
    except NoteConflict as conflict:
        st.session_state[_CONFLICT] = (latent, mine)
        st.session_state[_REFUSAL] = (latent, str(conflict)) if mine is None else None
    except NotesError as error:
        st.session_state[_REFUSAL] = (latent, str(error))


def _draw_outcome(book: NoteBook, latent: int) -> None:
    if done := st.session_state.pop(_DONE, None):
        st.toast(done)
    whose, said = st.session_state.get(_REFUSAL) or (None, "")
    if whose == latent:
        draw(sections.not_saved(said))
    whose, mine = st.session_state.get(_CONFLICT) or (None, None)
    if whose == latent and mine is not None:
        _draw_conflict(book, latent, mine)


def _draw_conflict(book: NoteBook, latent: int, mine: Words) -> None:
    """Both versions, and the choice; against what stands now, which may have changed once more."""
    theirs = book.get(latent)
    draw(sections.conflict(mine, theirs))
    with st.container(horizontal=True):
        save = lambda: _save(book, latent, mine, theirs.revision)  # noqa: E731
        st.button("save yours instead", on_click=_act, args=(latent, save, mine), key=f"mine-{theirs.revision}")
        st.button(
            "keep what stands there", on_click=_act, args=(latent, lambda: "Kept."), key=f"theirs-{theirs.revision}"
        )
