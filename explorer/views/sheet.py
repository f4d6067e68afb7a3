"""Latents with their pictures as one figure for a paper: the strongest, and beside them the whole range.

The strongest pictures alone make latents look cleaner than they are (arXiv 2104.07143): no such figure is offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer import links
from explorer.views.cards import latent_cards
from explorer.views.latent_labels import label_shares
from explorer.views.names import display_name
from explorer.views.parts import LatentCard, LatentRef
from explorer.views.tiles import Tile, tiles
from explorer.wording import percent, plural
from sae_core import LatentStore

_JUDGES = {"text": " on labels, captions", "clip": " by CLIP"}
MAX_ROWS = 40  # latents of one figure: what a page holds, and four megabytes
N_TOP = 5
PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of a gallery, strongest first


@dataclass(frozen=True)
class SheetRow:
    """One latent."""

    ref: LatentRef
    facts: tuple[str, ...]
    strongest: tuple[Tile, ...]  # N_TOP at most
    through: tuple[Tile | None, ...]  # at PLACES; None for what is among the strongest of a small gallery


@dataclass(frozen=True)
class Sheet:
    """All that the figure says."""

    title: str
    rows: tuple[SheetRow, ...]
    source: str  # which store and SAE it shows
    legend: str


def build_sheet(store: LatentStore, latents: Sequence[int], title: str = "") -> Sheet:
    """Rows in the order asked for; latents are of this store (IndexError else)."""
    rows = tuple(_row(store, card) for card in latent_cards(store, latents, 1))
    return Sheet(title, rows, _source(store), _legend(rows))


def ranks(n_active: int) -> tuple[list[int], list[int | None]]:
    """The ranks shown of a gallery of that many pictures, from 0: strongest, and at PLACES."""
    top = min(n_active, N_TOP)
    through = [int(place * n_active) for place in PLACES]
    return list(range(top)), [rank if rank >= top and n_active else None for rank in through]


def _row(store: LatentStore, card: LatentCard) -> SheetRow:
    if card.ref.hidden:
        return SheetRow(card.ref, (), (), ())
    top, through = ranks(store.gallery_size(card.ref.latent))
    asked = [*top, *(rank for rank in through if rank is not None)]
    members = [store.gallery(card.ref.latent, rank, rank + 1) for rank in asked]
    ids = [int(member.image_ids[0]) for member in members]
    shown = iter(tiles(store, ids, [float(member.activations[0]) for member in members]))
    strongest = tuple(next(shown) for _ in top)
    return SheetRow(card.ref, _facts(store, card), strongest, tuple(next(shown) if rank else None for rank in through))


def _facts(store: LatentStore, card: LatentCard) -> tuple[str, ...]:
    if card.ref.dead:
        return ("active in no picture",)
    said = [f"{percent(card.ref.density)} ({plural(card.n_active, 'picture')})"]
    if card.purity is not None and card.top_label:
        (top,) = label_shares(store, card.ref.latent, 1)
        said.append(f"{card.purity_text} labelled {top.label} ({percent(top.store_share)})")
    name = display_name(store, card.ref.latent)
    if name.text and name.auc:
        said.append(f"{name.auc}{_JUDGES.get(name.match or '', '')}")
    return tuple(said)


def _source(store: LatentStore) -> str:
    manifest = store.manifest
    return (
        f"{manifest.name}: {plural(store.n_images, 'picture')}, store {store.version}; SAE "
        f"{links.sae_mark(manifest.sae.fingerprint)}, {plural(store.n_latents, 'latent')}"
    )


def _legend(rows: Sequence[SheetRow]) -> str:
    said = "Under a picture: activation; after a label: its share of the store."
    if any(row.strongest and None in row.through for row in rows):
        said += " ←: among the strongest."
    return f"{said} ~: a name that CLIP alone judged." if any(row.ref.by_clip for row in rows) else said
