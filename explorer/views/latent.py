"""Latent: its pictures, how often and how strongly it is active, what goes with it, and how sure all that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer import links
from explorer.views import latent_figures as figures
from explorer.views import latent_labels
from explorer.views.cards import latent_cards
from explorer.views.latent_gallery import NEAR, GalleryQuery, Shown, build_gallery
from explorer.views.names import LatentName, display_name
from explorer.views.parts import LatentCard, LatentRef, latent_ref
from explorer.views.standing import share_with_good_names
from explorer.views.striking import MIN_PICTURES
from sae_core import LatentStore

N_SIMILAR = 6
N_TOGETHER = 6
_N_TILES = 4
_SHORT = 24  # pictures: four rows beside a column of figures
_SEARCHED = 30  # among which the dead are passed over: they have no pictures to compare


@dataclass(frozen=True)
class Together:
    """A latent that is active together with this one."""

    card: LatentCard
    n_both: int  # pictures in which both are active
    lift: float  # over chance, which is 1
    lift_low: float  # its lower 95 % bound
    href: str  # those pictures


@dataclass(frozen=True)
class LatentPage:
    """One latent."""

    ref: LatentRef
    name: LatentName
    named_by_chance: float | None  # share of random directions as frequent that get a good name
    query: GalleryQuery  # as asked
    shown: Shown
    n_active: int
    n_images: int
    even_density: float  # the baseline of density: k / n_latents
    max_activation: float
    median_activation: float
    histogram: figures.Histogram | None  # None for a dead latent
    labels: tuple[latent_labels.LabelShare, ...]
    purity: latent_labels.DecilePurity | None
    trust: tuple[figures.Trust, ...]
    together: tuple[Together, ...]
    similar: tuple[LatentCard, ...]  # figure: cosine of the directions
    n_dead_similar: int  # left out because they are dead
    effects: figures.EffectList
    previous: int | None
    next: int | None

    @property
    def is_short(self) -> bool:
        """Whether its pictures leave room below them. Of a dead latent near misses are shown, and these are many."""
        return 0 < self.n_active <= _SHORT

    @property
    def has_few(self) -> bool:
        """Whether its figures say little because its pictures are so few."""
        return 0 < self.n_active < MIN_PICTURES


def build_latent(store: LatentStore, latent: int, query: GalleryQuery | None = None) -> LatentPage:
    """One view of a latent. Its cost does not depend on the number of pictures.

    A dead latent has near misses only. Raises IndexError where there is no such latent.
    """
    ref = latent_ref(store, latent)
    row: Any = store.latents.loc[latent]
    query = query or GalleryQuery()
    together, similar, n_dead_similar = _relatives(store, latent)
    return LatentPage(
        ref=ref,
        name=display_name(store, latent),
        named_by_chance=share_with_good_names(store, latent),
        query=query,
        shown=build_gallery(store, latent, GalleryQuery(NEAR) if ref.dead else query),
        n_active=store.gallery_size(latent),
        n_images=store.n_images,
        even_density=store.even_density,
        max_activation=float(row["max_activation"]),
        median_activation=float(row["median_activation"]),
        histogram=figures.histogram(store, latent),
        labels=latent_labels.label_shares(store, latent),
        purity=latent_labels.decile_purity(store, latent),
        trust=figures.trust(store, latent),
        together=together,
        similar=similar,
        n_dead_similar=n_dead_similar,
        effects=figures.effects(store, latent),
        previous=latent - 1 if latent > 0 else None,
        next=latent + 1 if latent + 1 < store.n_latents else None,
    )


def _relatives(store: LatentStore, latent: int) -> tuple[tuple[Together, ...], tuple[LatentCard, ...], int]:
    """Latents active together with this one, those of similar direction, and how many dead ones of these were passed
    over; the pictures of all are looked up at once.
    """
    with_it = store.coactive(latent)
    n_together = min(len(with_it.latents), N_TOGETHER)
    alike, cosines, n_dead = _similar(store, latent)
    both = [*with_it.latents[:n_together].tolist(), *alike]
    cards = latent_cards(store, both, _N_TILES, [*with_it.lifts[:n_together].tolist(), *cosines])
    together = tuple(
        Together(
            card=card,
            n_both=int(with_it.n_both[rank]),
            lift=float(with_it.lifts[rank]),
            lift_low=float(with_it.lifts_low[rank]),
            href=links.pictures_url(all_of=(latent, card.ref.latent)),
        )
        for rank, card in enumerate(cards[:n_together])
    )
    return together, cards[n_together:], n_dead


def _similar(store: LatentStore, latent: int) -> tuple[list[int], list[float], int]:
    """The most similar latents that are not dead, and how many dead ones were more similar than the last of them."""
    found = store.similar_latents(latent, _SEARCHED)
    alive = np.array([store.gallery_size(int(other)) > 0 for other in found.ids], dtype=bool)
    ranks = np.flatnonzero(alive)[:N_SIMILAR]
    passed_over = int((~alive[: ranks[-1]]).sum()) if len(ranks) else 0
    return found.ids[ranks].tolist(), found.similarities[ranks].tolist(), passed_over
