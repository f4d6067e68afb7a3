"""A latent's figures, each with its baseline: strength, labels, effect, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer import links
from explorer.views.cells import number_or_none
from explorer.views.latent_table import latent_table
from explorer.views.random_purity import random_purities
from explorer.views.standing import Standing, standing, standing_of_effect
from sae_core import LatentStore
from sae_core.store.layout import N_DECILES

N_LABELS = 6


@dataclass(frozen=True)
class Histogram:
    """How many pictures have which activation."""

    edges: tuple[float, ...]  # n_bins + 1 activations
    counts: tuple[int, ...]  # pictures per bin
    marks: tuple[float, ...] = ()  # activations at the borders between deciles, rising


@dataclass(frozen=True)
class LabelShare:
    """One label of the gallery."""

    label: str
    share: float  # of the gallery
    store_share: float  # of all pictures: the baseline
    n: int  # pictures
    href: str | None = None  # latents whose most common label it is; None where there are none


@dataclass(frozen=True)
class DecilePurity:
    """The share of the gallery's most common label in each tenth of the gallery."""

    label: str
    counts: tuple[int, ...]  # pictures with the label in decile 1 … 10, the weakest first
    sizes: tuple[int, ...]  # pictures in the decile
    store_share: float  # of the label among all pictures: the baseline of this label
    random: float  # share of the most common label in random galleries of this size, whichever it is
    standing: Standing | None = None  # of the gallery's purity among random directions
    n_in_store: int = 0  # pictures of the store that have the label

    @property
    def covered(self) -> float:
        """Share of the store's pictures with the label in which the latent is active."""
        return sum(self.counts) / self.n_in_store if self.n_in_store else 0.0

    @property
    def whole(self) -> bool:
        """Whether there are pictures for each of ten parts."""
        return all(self.sizes)

    def share(self, decile: int) -> float | None:
        """Of decile 1 … 10; None where a small gallery leaves it empty."""
        size = self.sizes[decile - 1]
        return self.counts[decile - 1] / size if size else None


@dataclass(frozen=True)
class LabelEffect:
    """How the direction moves the score of a label."""

    label: str
    cosine: float  # between the direction and the label's text embedding
    z: float  # standard deviations above the mean of all latents


@dataclass(frozen=True)
class EffectList:
    """The labels whose scores the direction moves most, next to all other latents' directions."""

    raised: tuple[LabelEffect, ...]  # most raised first
    lowered: tuple[LabelEffect, ...]  # most lowered first
    standing: Standing | None  # of the largest z among random directions, whatever their density


@dataclass(frozen=True)
class Trust:
    """A figure that says how far a latent means one thing, and what chance would give."""

    name: str
    value: float
    baseline: float
    baseline_name: str
    definition: str  # key of definitions.DEFINITIONS
    standing: Standing | None  # among random directions that are about as frequent


def histogram(store: LatentStore, latent: int) -> Histogram | None:
    """From the builder's counts; None for a dead latent."""
    if not store.gallery_size(latent):
        return None
    found = store.histogram(latent)
    return Histogram(tuple(found.edges.tolist()), tuple(found.counts.tolist()), decile_marks(store, latent))


def decile_marks(store: LatentStore, latent: int) -> tuple[float, ...]:
    """Where each of deciles 2 … 10 begins: the smallest activation in it. Nowhere in under ten pictures."""
    if store.gallery_size(latent) < N_DECILES:
        return ()
    ranges = [store.decile_range(latent, decile) for decile in range(2, N_DECILES + 1)]
    return tuple(float(store.gallery(latent, stop - 1, stop).activations[0]) for _, stop in ranges)


def label_shares(store: LatentStore, latent: int, n: int = N_LABELS) -> tuple[LabelShare, ...]:
    """The gallery's most common labels. Shares count all pictures, those without a label too."""
    profile, size = store.label_profile(latent), store.gallery_size(latent)
    labels, commonest = store.labels, latent_table(store).commonest
    found = zip(profile.codes[:n], profile.counts.sum(1).tolist(), strict=False)
    return tuple(
        LabelShare(
            label=labels.titles[code],
            share=n_here / size,
            store_share=float(labels.counts[code] / store.n_images),
            n=n_here,
            href=links.latents_url({"label": labels.titles[code]}) if labels.titles[code] in commonest else None,
        )
        for code, n_here in found
    )


def decile_purity(store: LatentStore, latent: int) -> DecilePurity | None:
    """None where no picture of the gallery has a label."""
    profile, labels = store.label_profile(latent), store.labels
    if not len(profile.codes):
        return None
    ranges = [store.decile_range(latent, decile) for decile in range(1, N_DECILES + 1)]
    return DecilePurity(
        label=labels.titles[profile.codes[0]],
        counts=tuple(int(count) for count in profile.counts[0]),
        sizes=tuple(stop - start for start, stop in ranges),
        store_share=float(labels.counts[profile.codes[0]] / store.n_images),
        random=float(random_purities(store)[latent]),
        standing=standing(store, latent, "label_purity"),
        n_in_store=int(labels.counts[profile.codes[0]]),
    )


def effects(store: LatentStore, latent: int) -> EffectList:
    """What the store's lists hold: raised above the baseline, lowered below it. Empty where it has no labels."""
    found, titles = store.effects(latent), store.labels.titles
    moved = [
        LabelEffect(titles[label], float(cosine), float(z))
        for label, cosine, z in zip(found.labels, found.cosines, found.z, strict=True)
    ]
    return EffectList(
        raised=(raised := tuple(effect for effect in moved if effect.z > 0)),
        lowered=tuple(effect for effect in moved if effect.z < 0),
        standing=standing_of_effect(store, raised[0].z) if raised else None,
    )


def trust(store: LatentStore, latent: int) -> tuple[Trust, ...]:
    """What can be said of this latent; a figure that the store cannot give is left out."""
    row: Any = store.latents.loc[latent]
    report = store.manifest.report
    figures = (
        ("monosemanticity", row["monosemanticity"], report.monosemanticity_baseline, "two random pictures"),
        ("split-half stability", row["split_half"], report.split_half_baseline, "two different latents"),
    )
    return tuple(
        Trust(name, value, baseline, baseline_name, key, standing(store, latent, key))
        for (name, cell, baseline, baseline_name), key in zip(figures, ("monosemanticity", "split_half"), strict=True)
        if (value := number_or_none(cell)) is not None and np.isfinite(baseline)
    )
