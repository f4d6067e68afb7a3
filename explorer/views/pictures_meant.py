"""Words where the Pictures page wants numbers of latents: the latents that are called so."""

from __future__ import annotations

from dataclasses import dataclass

from explorer import notes
from explorer.views.latent_table import latent_table
from explorer.views.latents_matching import matching
from explorer.views.latents_query import LatentsQuery
from explorer.views.parts import LatentRef, latent_card, latent_ref
from explorer.views.pictures_query import FIELDS, Field, PicturesQuery
from explorer.views.texts import folded
from explorer.views.tiles import Tile
from sae_core import LatentStore

_N, _LOOKED_AT = 12, 500
_N_TILES = 4


@dataclass(frozen=True)
class Meant:
    """Latents that words stand for, each with the query that has it in their place."""

    words: str
    latents: tuple[tuple[LatentRef, str], ...]
    tiles: tuple[tuple[Tile, ...], ...] = ()  # the strongest pictures of each


def build_meant(store: LatentStore, query: PicturesQuery) -> tuple[Meant, ...]:
    """One for each list with such words, as far as some latent has them in its name or label, and is not asked to
    be otherwise: first those that are called so, in either case the most striking ones."""
    asked = [_meant(store, query, field) for field in FIELDS]
    return tuple(one for one in asked if one.latents)


def _meant(store: LatentStore, query: PicturesQuery, field: Field) -> Meant:
    words = " ".join(word for where, word in query.unread if where == field)
    if not words:
        return Meant("", ())
    found = matching(latent_table(store), LatentsQuery(q=words), given=notes.texts(store))[:_LOOKED_AT]
    refs = [latent_ref(store, latent) for latent in found.tolist() if latent not in _contrary(query, field)]
    refs.sort(key=lambda ref: folded(words) not in folded(ref.name or ""))  # keeps the order otherwise
    shown = tuple((ref, query.meaning(field, ref.latent).url()) for ref in refs[:_N])
    return Meant(words, shown, tuple(latent_card(store, ref.latent, _N_TILES).tiles for ref, _ in shown))


def _contrary(query: PicturesQuery, field: Field) -> set[int]:
    """Latents with which no picture could match: what is excluded cannot be asked for."""
    return {*query.all_of, *query.any_of} if field == "none_of" else {*query.none_of}
