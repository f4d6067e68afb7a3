"""Every latent that people named or noted."""

from __future__ import annotations

from dataclasses import dataclass

from explorer import links, notes
from explorer.notes import Note
from explorer.views.cards import latent_cards
from explorer.views.paging import Paging, paging
from explorer.views.parts import LatentCard
from sae_core import LatentStore

PER_PAGE = 48


@dataclass(frozen=True)
class NotedLatent:
    """A latent, its pictures, and what people say of it."""

    card: LatentCard
    note: Note


@dataclass(frozen=True)
class NotesPage:
    """One page of the notes."""

    latents: tuple[NotedLatent, ...]
    paging: Paging
    file: str  # the sidecar's name
    sae: str  # fingerprint
    problem: str | None  # why they cannot be read
    read_only: str | None  # why none can be saved


def build_notes(store: LatentStore, page: int) -> NotesPage:
    """Notes by number of the latent."""
    texts = notes.texts(store)
    pages = paging(page, len(texts), PER_PAGE, links.notes_url)
    shown = list(texts)[pages.start : pages.stop]
    cards = latent_cards(store, shown, n_tiles=4)
    return NotesPage(
        latents=tuple(NotedLatent(card, texts[latent]) for card, latent in zip(cards, shown, strict=True)),
        paging=pages,
        file=notes.note_book(store).path.name,
        sae=store.manifest.sae.fingerprint,
        problem=notes.problem(store),
        read_only=notes.read_only(store),
    )
