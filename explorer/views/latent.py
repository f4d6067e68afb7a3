"""Latent: its complete gallery, how often and how strongly it is active, and what it resembles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer import links
from explorer.views.cells import number_or_none
from explorer.views.paging import Paging, paging
from explorer.views.parts import LatentCard, LatentRef, Tile, latent_card, latent_ref, tiles
from sae_core import LatentStore

PER_PAGE = 48
N_LABELS = 6
N_SIMILAR = 6
_SEARCHED = 30  # among which the dead are passed over: they have no pictures to compare
N_BINS = 30


@dataclass(frozen=True)
class Histogram:
    """How many pictures have which activation."""

    edges: tuple[float, ...]  # n_bins + 1 activations
    counts: tuple[int, ...]  # pictures per bin


@dataclass(frozen=True)
class LabelShare:
    """One label of the gallery."""

    label: str
    share: float  # of the gallery
    store_share: float  # of all pictures: the baseline
    n: int  # pictures


@dataclass(frozen=True)
class LatentPage:
    """One latent."""

    ref: LatentRef
    name_score: float | None
    n_active: int
    n_images: int
    even_density: float  # the baseline of density: k / n_latents
    max_activation: float
    median_activation: float
    tiles: tuple[Tile, ...]
    paging: Paging
    histogram: Histogram | None  # None for a dead latent
    labels: tuple[LabelShare, ...]
    similar: tuple[LatentCard, ...]
    n_dead_similar: int  # left out because they are dead
    previous: int | None
    next: int | None


def build_latent(store: LatentStore, latent: int, page: int = 1) -> LatentPage:
    """One page of a latent's gallery and its figures. Raises IndexError where there is no such latent."""
    ref = latent_ref(store, latent)
    row: Any = store.latents.loc[latent]
    pages = paging(page, store.gallery_size(latent), PER_PAGE, lambda number: links.latent_url(latent, number))
    whole = store.gallery(latent)
    similar, n_dead_similar = _similar(store, latent)
    shown = slice(pages.start, pages.stop)
    return LatentPage(
        ref=ref,
        name_score=number_or_none(row["name_score"]),
        n_active=len(whole.image_ids),
        n_images=store.n_images,
        even_density=store.k / store.n_latents,
        max_activation=float(row["max_activation"]),
        median_activation=float(row["median_activation"]),
        tiles=tiles(store, whole.image_ids[shown].tolist(), whole.activations[shown].tolist()),
        paging=pages,
        histogram=histogram(whole.activations) if len(whole.activations) else None,
        labels=label_shares(store, whole.image_ids),
        similar=similar,
        n_dead_similar=n_dead_similar,
        previous=latent - 1 if latent > 0 else None,
        next=latent + 1 if latent + 1 < store.n_latents else None,
    )


def histogram(activations: np.ndarray, n_bins: int = N_BINS) -> Histogram:
    """Bins of equal width from 0 to the strongest activation."""
    counts, edges = np.histogram(activations, bins=n_bins, range=(0.0, float(activations.max())))
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def label_shares(store: LatentStore, image_ids: np.ndarray, n: int = N_LABELS) -> tuple[LabelShare, ...]:
    """The gallery's most common labels. Shares count all pictures, those without a label too."""
    column = store.labels
    if not column.names or not len(image_ids):
        return ()
    everywhere = np.bincount(column.codes[column.codes >= 0], minlength=len(column.names))
    here = column.codes[image_ids]
    counts = np.bincount(here[here >= 0], minlength=len(column.names))
    top = np.argsort(-counts, kind="stable")[:n]
    return tuple(
        LabelShare(
            label=column.names[code],
            share=float(counts[code] / len(image_ids)),
            store_share=float(everywhere[code] / store.n_images),
            n=int(counts[code]),
        )
        for code in top
        if counts[code] > 0
    )


def _similar(store: LatentStore, latent: int) -> tuple[tuple[LatentCard, ...], int]:
    """The most similar latents that are not dead, and how many dead ones were more similar than the last of them."""
    found = store.similar_latents(latent, _SEARCHED)
    alive = np.array([store.gallery_size(int(other)) > 0 for other in found.ids], dtype=bool)
    ranks = np.flatnonzero(alive)[:N_SIMILAR]
    cards = tuple(latent_card(store, int(found.ids[i]), n_tiles=4, figure=float(found.similarities[i])) for i in ranks)
    passed_over = int((~alive[: ranks[-1]]).sum()) if len(ranks) else 0
    return cards, passed_over
