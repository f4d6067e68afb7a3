"""Latents as the map's panel lists them: what each is called, beside its strongest pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.views.parts import LatentRef, latent_ref
from explorer.views.tiles import Tile, tiles
from sae_core import LatentStore

N_TILES = 3


@dataclass(frozen=True)
class Row:
    """One latent of a list."""

    ref: LatentRef
    tiles: tuple[Tile, ...]  # strongest first, without those that there is no picture of


def build_rows(store: LatentStore, latents: Sequence[int]) -> tuple[Row, ...]:
    """In the order asked for; their pictures are looked up together. Raises IndexError where one does not exist."""
    refs = [latent_ref(store, latent) for latent in latents]
    ids = [store.gallery(latent, 0, N_TILES).image_ids.tolist() for latent in latents]
    found = iter(tiles(store, [image_id for of_one in ids for image_id in of_one]))
    shown = [tuple(tile for _, tile in zip(of_one, found, strict=False) if tile.src) for of_one in ids]
    return tuple(Row(ref, of_one) for ref, of_one in zip(refs, shown, strict=True))
