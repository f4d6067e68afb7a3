"""A latent's figures, each with its baseline: strength, labels, effect, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.views.cells import number_or_none
from explorer.views.standing import Standing, standing, standing_of_effect
from sae_core import LatentStore
from sae_core.store.layout import N_DECILES


@dataclass(frozen=True)
class Histogram:
    """How many pictures have which activation."""

    edges: tuple[float, ...]  # n_bins + 1 activations
    counts: tuple[int, ...]  # pictures per bin
    marks: tuple[float, ...] = ()  # activations at the borders between deciles, rising


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
