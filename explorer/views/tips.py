"""What the map's card says about a latent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explorer.views.cells import number_or_none
from explorer.views.names import display_name
from explorer.views.parts import LatentRef, latent_card, latent_ref
from explorer.views.tiles import Tile
from explorer.wording import activation, figure, percent
from sae_core import LatentStore

N_TILES = 9


@dataclass(frozen=True)
class Tip:
    """A latent at a glance."""

    ref: LatentRef
    figures: tuple[tuple[str, str], ...]  # name and value
    tiles: tuple[Tile, ...]  # strongest first


def build_tip(store: LatentStore, latent: int) -> Tip:
    """Raises IndexError where there is no such latent."""
    ref = latent_ref(store, latent)  # says what is wrong with a number
    card = latent_card(store, latent, N_TILES)
    row: Any = store.latents.loc[latent]
    figures = [] if ref.dead else [("strongest", activation(float(row["max_activation"])))]
    if card.purity is not None and card.top_label:
        figures.append(("label purity", f"{percent(card.purity)} {card.top_label}"))
    auc = display_name(store, latent).auc
    if auc and auc not in ref.hint:
        figures.append(("name score", auc))
    for column, name in (("monosemanticity", "monosemanticity"), ("split_half", "split half")):
        value = number_or_none(row[column])
        if value is not None:
            figures.append((name, figure(value)))
    return Tip(ref, tuple(figures), card.tiles)
