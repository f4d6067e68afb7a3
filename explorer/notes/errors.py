"""What can go wrong with notes; every message is one sentence for a person."""

from __future__ import annotations

from explorer.notes.records import Note
from sae_core.errors import SparsightError


class NotesError(SparsightError):
    """Notes that cannot be read or written, a text that is too long, a file that is no notes file."""


class NoteConflict(NotesError):
    """Somebody changed the latent since the form was made: `theirs` is what stands now."""

    def __init__(self, theirs: Note) -> None:
        super().__init__(f"the notes of #{theirs.latent} were changed meanwhile; nothing was saved")
        self.theirs = theirs
