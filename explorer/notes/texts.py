"""Names and notes come from people, files and pastes: what is kept of them, and how long they may be."""

from __future__ import annotations

import re
import unicodedata

from explorer.notes.errors import NotesError
from explorer.notes.records import MAX_NAME, MAX_TEXT, Words

# Control characters, unpaired surrogates, and the marks that turn the writing direction of what follows them: a name
# stands in the middle of other people's lines.
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\uffff]")


def cleaned(name: str | None, text: str | None) -> Words:
    """Raises NotesError where one is too long: nobody's words are cut in silence."""
    return Words(
        _bounded(" ".join(_plain(name or "").split()), MAX_NAME, "name"),
        _bounded(_plain(text or "").strip(), MAX_TEXT, "note"),
    )


def _plain(said: str) -> str:
    lines = said.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", lines))


def _bounded(said: str, limit: int, what: str) -> str | None:
    if len(said) > limit:
        raise NotesError(f"a {what} has at most {limit:,} characters, this one has {len(said):,}")
    return said or None
