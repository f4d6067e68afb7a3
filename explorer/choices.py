"""Choices of pictures as a page asks for them: with the session's upload and the store's text encoder."""

from __future__ import annotations

from explorer.models import embed_text
from explorer.uploader import kept_upload
from explorer.views.resolved import Resolved, Uploaded, resolve
from explorer.views.selection import read_selection
from sae_core import LatentStore


def chosen(store: LatentStore, said: str) -> Resolved | None:
    """The pictures of a choice; None where nothing is said. Raises SparsightError with a sentence."""
    selection = read_selection(store, said)
    if selection is None:
        return None
    upload = kept_upload(store) if selection.kind == "upload" else None
    mine = None if upload is None else Uploaded(upload.name, upload.embedding)
    return resolve(store, selection, lambda text: embed_text(store, text), mine)
