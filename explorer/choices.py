"""Choices of pictures as a page asks for them: with the session's upload and the store's text encoder."""

from __future__ import annotations

from typing import NamedTuple

from explorer.models import cut_texts, embed_text
from explorer.uploader import kept_upload
from explorer.views.cut_texts import CutText
from explorer.views.resolved import Resolved, Uploaded, resolve
from explorer.views.selection import guessed_text, read_selection
from sae_core import LatentStore
from sae_core.errors import EncoderError, MismatchError, SparsightError


class Choice(NamedTuple):
    """What became of what was said."""

    said: str  # as the address writes it; as it was said where it could not be read
    resolved: Resolved | None = None
    problem: str = ""  # one sentence: why there are no pictures
    cut: tuple[CutText, ...] = ()  # its words, where they are longer than what the encoder reads


def choose(store: LatentStore, said: str) -> Choice:
    """The same as `chosen`, with a sentence instead of an error."""
    try:
        resolved = chosen(store, said)
    except SparsightError as error:
        # An encoder's error means that the words could be read, and as a text.
        guess = guessed_text(store, said) if isinstance(error, EncoderError | MismatchError) else ""
        problem = f"{guess}{error}"
        return Choice(said, problem=f"{problem[:1].upper()}{problem[1:]}{'' if problem.endswith('.') else '.'}")
    if resolved is None:
        return Choice(said)
    selection = resolved.selection
    return Choice(selection.said, resolved, cut=cut_texts(store, [selection.value] if selection.kind == "text" else []))


def chosen(store: LatentStore, said: str) -> Resolved | None:
    """The pictures of a choice; None where nothing is said. Raises SparsightError with a sentence."""
    selection = read_selection(store, said)
    if selection is None:
        return None
    upload = kept_upload(store, before=bool(selection.value)) if selection.kind == "upload" else None
    mine = None if upload is None else Uploaded(upload.name, upload.embedding)
    return resolve(store, selection, lambda text: embed_text(store, text), mine)
