"""Words where the Pictures page wants numbers of latents: the latents that are called so."""

from __future__ import annotations

from dataclasses import dataclass

from explorer import notes
from explorer.views.latent_table import latent_table
from explorer.views.latents import matching
from explorer.views.latents_query import LatentsQuery
from explorer.views.parts import LatentRef, latent_ref
from explorer.views.pictures_query import FIELDS, Field, PicturesQuery
from sae_core import LatentStore

_N = 6


@dataclass(frozen=True)
class Meant:
    """Latents that words stand for, each with the query that has it in their place."""

    words: str
    latents: tuple[tuple[LatentRef, str], ...]


def build_meant(store: LatentStore, query: PicturesQuery) -> tuple[Meant, ...]:
    """One for each list with such words, as far as some latent has them in its name or label; most striking first."""
    asked = [_meant(store, query, field) for field in FIELDS]
    return tuple(one for one in asked if one.latents)


def _meant(store: LatentStore, query: PicturesQuery, field: Field) -> Meant:
    words = " ".join(word for where, word in query.unread if where == field)
    if not words:
        return Meant("", ())
    found = matching(latent_table(store), LatentsQuery(q=words), given=notes.texts(store))[:_N].tolist()
    return Meant(words, tuple((latent_ref(store, one), query.meaning(field, one).url()) for one in found))
