"""Words where a page wants the number of a latent: the latents that are called so."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from explorer import notes
from explorer.views.latent_table import latent_table
from explorer.views.latents_matching import matching
from explorer.views.latents_query import LatentsQuery
from explorer.views.parts import LatentRef, latent_card, latent_ref
from explorer.views.texts import folded
from explorer.views.tiles import Tile
from sae_core import LatentStore

_N, _LOOKED_AT = 12, 500
_N_TILES = 4


@dataclass(frozen=True)
class Meant:
    """Latents that words stand for, each with the address that has it in their place."""

    words: str
    latents: tuple[tuple[LatentRef, str], ...]
    tiles: tuple[tuple[Tile, ...], ...] = ()  # the strongest pictures of each


def find_meant(
    store: LatentStore, words: str, address: Callable[[int], str], without: Collection[int] = frozenset()
) -> Meant:
    """Latents with these words in their name or label: first those that are called so, in either case the most
    striking ones. `without` are never offered."""
    if not words:
        return Meant("", ())
    found = matching(latent_table(store), LatentsQuery(q=words), given=notes.texts(store))[:_LOOKED_AT]
    refs = [latent_ref(store, latent) for latent in found.tolist() if latent not in without]
    refs.sort(key=lambda ref: folded(words) not in folded(ref.name or ""))  # keeps the order otherwise
    shown = tuple((ref, address(ref.latent)) for ref in refs[:_N])
    return Meant(words, shown, tuple(latent_card(store, ref.latent, _N_TILES).tiles for ref, _ in shown))
