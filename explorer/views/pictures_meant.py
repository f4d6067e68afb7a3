"""Words where the Pictures page wants numbers of latents: the latents that are called so."""

from __future__ import annotations

from explorer.views.meant import Meant, find_meant
from explorer.views.pictures_query import FIELDS, Field, PicturesQuery
from sae_core import LatentStore


def build_meant(store: LatentStore, query: PicturesQuery) -> tuple[Meant, ...]:
    """One for each list with such words, as far as some latent has them in its name or label, and is not asked to
    be otherwise."""
    asked = [_meant(store, query, field) for field in FIELDS]
    return tuple(one for one in asked if one.latents)


def _meant(store: LatentStore, query: PicturesQuery, field: Field) -> Meant:
    words = " ".join(word for where, word in query.unread if where == field)
    return find_meant(store, words, lambda latent: query.meaning(field, latent).url(), _contrary(query, field))


def _contrary(query: PicturesQuery, field: Field) -> set[int]:
    """Latents with which no picture could match: what is excluded cannot be asked for."""
    return {*query.all_of, *query.any_of} if field == "none_of" else {*query.none_of}
