"""Many latents' cards at once: their pictures' rows are read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.views.cells import number_or_none, text_or_none
from explorer.views.parts import LatentCard, latent_ref
from explorer.views.tiles import tiles
from sae_core import LatentStore


def latent_cards(
    store: LatentStore, latents: Sequence[int], n_tiles: int = 9, figures: Sequence[float] | None = None
) -> tuple[LatentCard, ...]:
    """Latents in the given order, each with its n strongest pictures; `figures` say why each is shown."""
    galleries = [store.gallery(latent, 0, n_tiles) for latent in latents]
    pictures = iter(
        tiles(
            store,
            [int(image_id) for gallery in galleries for image_id in gallery.image_ids],
            [float(activation) for gallery in galleries for activation in gallery.activations],
        )
    )
    cards = []
    for rank, (latent, gallery) in enumerate(zip(latents, galleries, strict=True)):
        row: Any = store.latents.loc[latent]
        cards.append(
            LatentCard(
                ref=latent_ref(store, latent),
                tiles=tuple(next(pictures) for _ in gallery.image_ids),
                top_label=text_or_none(row["top_label"]),
                purity=number_or_none(row["label_purity"]),
                figure=None if figures is None else float(figures[rank]),
                n_active=int(row["n_active"]),
            )
        )
    return tuple(cards)
