"""Which pictures of a latent are looked at: the strongest, some of every decile, random ones, or near misses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from explorer import links
from explorer.views.beyond_top import Beyond, beyond_top, with_tiles
from explorer.views.left_out import left_out
from explorer.views.paging import Paging, paging, whole_number
from explorer.views.tiles import Tile, tiles
from sae_core import LatentStore
from sae_core.store.layout import N_DECILES, N_NEAR_MISSES

PER_PAGE = 48
PER_DECILE = 8
N_RANDOM = 18  # three rows: few enough to be looked at one by one
TOP, DECILES, RANDOM, NEAR = "", "deciles", "random", "near"
VIEWS = {TOP: "top", DECILES: "deciles", RANDOM: "random", NEAR: "near misses"}


@dataclass(frozen=True)
class GalleryQuery:
    """What the address asks for."""

    view: str = TOP  # of VIEWS
    page: int = 1  # of the whole gallery
    seed: int = 0  # of the random draw
    left_out: tuple[str, ...] = field(default=(), compare=False)  # what of the address could not be read

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> GalleryQuery:
        """Unknown values count as absent; what another view would use is dropped."""
        view = params.get("view", "") if params.get("view") in VIEWS else TOP
        unread = left_out(params, {"view": view, "page": "", "seed": ""})
        return cls(
            view=view,
            page=whole_number(params.get("page"), 1) if view == TOP else 1,
            seed=whole_number(params.get("seed"), 0) if view == RANDOM else 0,
            left_out=unread,
        )


@dataclass(frozen=True)
class Top:
    """A page of the whole gallery, strongest first."""

    tiles: tuple[Tile, ...]
    paging: Paging
    beyond: tuple[Beyond, ...] = ()  # beside the first page


@dataclass(frozen=True)
class DecileRow:
    """Some pictures of a tenth of the gallery, spread evenly over its ranks."""

    decile: int  # 10 is the strongest
    n: int  # pictures in it
    weakest: float  # activation
    strongest: float
    tiles: tuple[Tile, ...]
    href: str  # where the top view shows it


@dataclass(frozen=True)
class Deciles:
    """The gallery in tenths, strongest first; none of a gallery of under ten pictures."""

    rows: tuple[DecileRow, ...]


@dataclass(frozen=True)
class Draw:
    """Random members of the gallery, in random order; all of a small one, strongest first."""

    tiles: tuple[Tile, ...]
    n_active: int
    again: str | None  # the next draw; None where all members are shown


@dataclass(frozen=True)
class NearMissPictures:
    """Pictures where the latent lost the Top-K, highest pre-activation first."""

    tiles: tuple[Tile, ...]
    complete: bool  # there are no more than these


Shown = Top | Deciles | Draw | NearMissPictures


def build_gallery(store: LatentStore, latent: int, query: GalleryQuery) -> Shown:
    """The pictures that the address asks for; no more of the gallery is read than is shown."""
    if query.view == DECILES:
        return _deciles(store, latent)
    if query.view == RANDOM:
        return _draw(store, latent, query.seed)
    if query.view == NEAR:
        return _near_misses(store, latent)
    return _top(store, latent, query.page)


def spread_ranks(start: int, stop: int, n: int) -> list[int]:
    """At most n different ranks, evenly spread over [start, stop)."""
    size = stop - start
    if size <= n:
        return list(range(start, stop))
    return [start + (2 * i + 1) * size // (2 * n) for i in range(n)]


def _top(store: LatentStore, latent: int, page: int) -> Top:
    pages = paging(page, store.gallery_size(latent), PER_PAGE, lambda number: links.latent_url(latent, number))
    shown = store.gallery(latent, pages.start, pages.stop)
    groups = beyond_top(store, latent, PER_PAGE) if pages.page == 1 else ()
    pictures, beyond = with_tiles(store, shown.image_ids.tolist(), shown.activations.tolist(), groups)
    return Top(pictures, pages, beyond)


def _deciles(store: LatentStore, latent: int) -> Deciles:
    if store.gallery_size(latent) < N_DECILES:
        return Deciles(())
    ranges = {decile: store.decile_range(latent, decile) for decile in range(N_DECILES, 0, -1)}
    ranks = [rank for start, stop in ranges.values() for rank in spread_ranks(start, stop, PER_DECILE)]
    ids, activations = _members(store, latent, ranks)
    pictures = dict(zip(ranks, tiles(store, ids, activations), strict=True))
    return Deciles(
        tuple(_decile_row(store, latent, decile, start, stop, pictures) for decile, (start, stop) in ranges.items())
    )


def _decile_row(
    store: LatentStore, latent: int, decile: int, start: int, stop: int, pictures: Mapping[int, Tile]
) -> DecileRow:
    _, (strongest, weakest) = _members(store, latent, [start, stop - 1])
    return DecileRow(
        decile=decile,
        n=stop - start,
        weakest=weakest,
        strongest=strongest,
        tiles=tuple(pictures[rank] for rank in spread_ranks(start, stop, PER_DECILE)),
        href=links.latent_url(latent, start // PER_PAGE + 1),
    )


def _members(store: LatentStore, latent: int, ranks: list[int]) -> tuple[list[int], list[float]]:
    """Image ids and activations at single ranks."""
    found = [store.gallery(latent, rank, rank + 1) for rank in ranks]
    return [int(one.image_ids[0]) for one in found], [float(one.activations[0]) for one in found]


def _draw(store: LatentStore, latent: int, seed: int) -> Draw:
    drawn, n_active = store.random_members(latent, N_RANDOM, seed), store.gallery_size(latent)
    shown = tiles(store, drawn.image_ids.tolist(), drawn.activations.tolist())
    if n_active <= N_RANDOM:
        return Draw(shown, n_active, None)
    # Strongest first it would look like the top.
    order = np.random.default_rng([seed, latent, N_RANDOM]).permutation(len(shown))
    again = links.latent_url(latent, view=RANDOM, seed=seed + 1)
    return Draw(tuple(shown[at] for at in order), n_active, again)


def _near_misses(store: LatentStore, latent: int) -> NearMissPictures:
    missed = store.near_misses(latent)
    pictures = tiles(store, missed.image_ids.tolist(), missed.pre_activations.tolist(), figure_name="pre-activation")
    return NearMissPictures(
        tuple(replace(tile, lost_to=float(low)) for tile, low in zip(pictures, missed.thresholds, strict=True)),
        complete=len(pictures) < N_NEAR_MISSES,
    )
