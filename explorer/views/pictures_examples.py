"""Queries to begin with on Pictures, and what they find."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from explorer.views.parts import LatentRef, latent_ref
from explorer.views.pictures_chance import by_chance
from explorer.views.pictures_found import matches
from explorer.views.pictures_query import PicturesQuery
from explorer.views.striking import striking
from explorer.views.tiles import Tile, tiles
from sae_core import LatentStore

N_EXAMPLES = 3
N_EXAMPLE_TILES = 8


@dataclass(frozen=True)
class Example:
    """A query to begin with, and what it finds."""

    refs: tuple[LatentRef, ...]
    href: str
    n: int  # pictures
    expected: float  # pictures, if the latents were independent
    tiles: tuple[Tile, ...]


def build_examples(store: LatentStore) -> tuple[Example, ...]:
    """Striking latents with the one that is most surely active together with them."""
    partners = ((latent, store.coactive(latent).latents) for latent in striking(store.latents, 4 * N_EXAMPLES))
    pairs = ((latent, int(found[0])) for latent, found in partners if len(found))
    return tuple(_example(store, PicturesQuery(all_of=pair)) for pair in islice(pairs, N_EXAMPLES))


def _example(store: LatentStore, query: PicturesQuery) -> Example:
    found = matches(store, query)
    first, chance = slice(0, N_EXAMPLE_TILES), by_chance(store, query)
    assert chance is not None  # of two latents
    return Example(
        refs=tuple(latent_ref(store, latent) for latent in query.all_of),
        href=query.url(),
        n=len(found.image_ids),
        expected=chance.n,
        tiles=tiles(store, found.image_ids[first].tolist(), found.strengths[first].tolist(), figure_name="strength"),
    )
