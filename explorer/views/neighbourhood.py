"""How few latents explain a neighbourhood, against its label's pictures, random ones and random neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.views.few_latents import (
    Measure,
    Range,
    SetRow,
    Spread,
    measure_set,
    random_neighbourhoods,
    random_sets,
    sample,
    spread_of,
    written,
)
from explorer.views.parts import LatentCard, latent_card
from explorer.views.resolved import Resolved
from explorer.views.tiles import Tile, tiles
from explorer.wording import plural
from sae_core import LatentStore
from sae_core.neighbourhoods import union_of

N_CARDS, N_CARD_TILES, N_TILES = 6, 9, 24


@dataclass(frozen=True)
class Neighbourhood:
    """The neighbourhood and what it is compared with."""

    rows: tuple[SetRow, ...]  # the neighbourhood first; a draw of random pictures and a random neighbourhood last
    spreads: tuple[Spread, Spread]  # of these two, over several draws
    label: str | None  # whose pictures the second row has
    cards: tuple[LatentCard, ...]  # its strongest latents; figure = share of the mass
    tiles: tuple[Tile, ...]

    @property
    def sentence(self) -> str:
        """The paper's claim on these pictures."""
        here, chance = self.rows[0], self.rows[-2]
        if not here.n_union:
            return f"No latent is active in this neighbourhood of {here.n_pictures}: nothing explains it."
        active = f"{plural(here.n_union, 'latent')} {'is' if here.n_union == 1 else 'are'} active"
        apart, near = self.spreads
        draws = f" ({apart.n_draws} draws)" if apart.n_draws > 1 else ""
        return (
            f"{active} somewhere in this neighbourhood of {here.n_pictures}; "
            f"{_some(here.mass[0])} hold 90 % of its activation. In {chance.n_pictures} random pictures"
            f"{draws} {written(apart.n_union)} are active, and {written(apart.mass[0])} hold 90 %; in random "
            f"neighbourhoods {written(near.n_union)}, and {written(near.mass[0])}{_beside(here.mass[0], near.mass[0])}."
        )


def build_neighbourhood(
    store: LatentStore, resolved: Resolved, n: int, seed: int = 0, measure: Measure | None = None
) -> Neighbourhood:
    """The n pictures nearest to the choice's centre, n of the same label, n random ones, n around a random one.

    Both are seeded, of several draws. `measure` may remember what `measure_set` answered.
    """
    ids = _nearest_shown(store, resolved.centre, n)
    code = _label_of(store, resolved, ids)
    sets = [("nearest pictures", ids)]
    if code is not None:
        members = store.images_of_label(code)
        sets.append((f"labelled “{store.labels.titles[code]}”", sample(members[store.shown(members)], n, seed)))
    rows = [(measure or measure_set)(store, name, members) for name, members in sets]
    apart = random_sets(store, n, seed, measure or measure_set)
    near = random_neighbourhoods(store, n, seed, measure or measure_set)
    first = union_of(*store.codes(ids))
    shares = first.mass / max(float(first.mass.sum()), 1e-12)
    shown = ids[:N_TILES].tolist()
    return Neighbourhood(
        rows=(*rows, apart[0], near[0]),
        spreads=(spread_of(apart), spread_of(near)),
        label=None if code is None else store.labels.titles[code],
        cards=tuple(
            latent_card(store, int(latent), N_CARD_TILES, figure=float(share))
            for latent, share in zip(first.latents[:N_CARDS], shares, strict=False)
        ),
        tiles=tiles(store, shown, (store.embeddings(shown) @ resolved.centre).tolist(), figure_name="cosine"),
    )


def _nearest_shown(store: LatentStore, centre: np.ndarray, n: int) -> np.ndarray:
    """The n nearest pictures that are not withheld, or fewer where most of those around are."""
    ids = store.nearest_images(centre, min(n + store.hidden.n_pictures, 4 * n)).ids.astype(np.int64)
    found: np.ndarray = ids[store.shown(ids)][:n]
    return found


def _label_of(store: LatentStore, resolved: Resolved, ids: np.ndarray) -> int | None:
    """The label chosen, otherwise the commonest one of the choice's pictures, otherwise of the neighbours."""
    if resolved.label is not None:
        return resolved.label
    for members in (resolved.image_ids, ids):
        codes = store.labels.codes[members]
        codes = codes[codes >= 0]
        if len(codes):
            return int(np.bincount(codes).argmax())
    return None


def _beside(few: int | None, near: Range) -> str:
    """Whether it takes fewer latents than any of the random neighbourhoods did."""
    if few is None or near is None or near[0] == near[1]:
        return ""
    low, high = near
    if low <= few <= high:
        return ": this one lies within that range"
    return f": {'fewer' if few < low else 'more'} here than in any of these"


def _some(few: int | None) -> str:
    return "none" if few is None else f"{few:,}"
