"""Taking in notes from a file: first a preview, then the choice."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from explorer import notes
from explorer.grid import draw
from explorer.notes import NoteBook, NotesError
from explorer.notes.exchange import imported
from explorer.notes.records import Words
from explorer.sections import notes as sections
from explorer.wording import plural
from sae_core import LatentStore

_ROUND, _SAID = "note-import-round", "note-import-said"
_CHOICES: dict[Literal["mine", "theirs"], str] = {"mine": "keep mine", "theirs": "take theirs"}


def draw_import(store: LatentStore) -> None:
    """The drop zone, what the file would change, and the button that does it."""
    if said := st.session_state.pop(_SAID, None):
        draw(sections.outcome(*said))
    key = f"note-import-{st.session_state.get(_ROUND, 0)}"  # a new one empties the drop zone
    file = st.file_uploader("Import notes from a JSON file of Sparsight", type=["json"], max_upload_size=20, key=key)
    if file is None:
        return
    book = notes.note_book(store)
    try:
        said = imported(file.getvalue(), book)
        # A comparison would show what stands here of a withheld latent, and an import could overwrite it unseen.
        entries = {latent: words for latent, words in said.items() if latent not in store.hidden.latents}
        found = book.compare(entries)
    except NotesError as error:
        draw(sections.not_saved(str(error)))
        return
    draw(sections.preview(found), _left_out(len(said) - len(entries)))
    choice: Literal["mine", "theirs"] = "mine"
    if found.conflicting:
        choice = st.radio("where both say something", list(_CHOICES), format_func=_CHOICES.get, horizontal=True)
    if found.new or found.conflicting:
        st.button("import", on_click=_take, args=(book, entries, choice))


def _left_out(n_withheld: int) -> str:
    said = f"what the file says of {plural(n_withheld, 'withheld latent')} is left out"
    return sections.outcome(said, True) if n_withheld else ""


def _take(book: NoteBook, entries: dict[int, Words], choice: Literal["mine", "theirs"]) -> None:
    try:
        n_changed = book.take(entries, choice)
    except NotesError as error:
        st.session_state[_SAID] = (str(error), False)
        return
    st.session_state[_SAID] = (f"{n_changed:,} changed; “edit” on a latent's page can undo each", True)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
