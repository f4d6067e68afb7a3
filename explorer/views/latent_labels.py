"""A latent's labels, each with its baseline: their shares of the gallery, and the first one's tenth by tenth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from scipy.special import bdtrc

from explorer import links
from explorer.views.latent_table import latent_table
from explorer.views.random_purity import random_purities
from explorer.views.standing import Standing, standing
from sae_core import LatentStore
from sae_core.store.layout import N_DECILES

N_LABELS = 6


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
    by_chance: float  # the chance, at most, that some label has as many pictures in one of these
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
    counts = np.asarray(labels.counts)
    labelled = float(counts.sum() / store.n_images)  # all shares here are of all pictures, purity of those with a label
    return DecilePurity(
        label=labels.titles[profile.codes[0]],
        counts=tuple(int(count) for count in profile.counts[0]),
        sizes=tuple(stop - start for start, stop in ranges),
        store_share=float(labels.counts[profile.codes[0]] / store.n_images),
        random=labelled * float(random_purities(store)[latent]),
        by_chance=chance_of(int(profile.counts[0].sum()), store.gallery_size(latent), counts, store.n_images),
        standing=standing(store, latent, "label_purity"),
        n_in_store=int(labels.counts[profile.codes[0]]),
    )


def chance_of(n_most: int, size: int, counts: Int64[np.ndarray, "n_labels"], n_images: int) -> float:
    """An upper bound of the chance that some label has `n_most` pictures or more of a random gallery of `size`.

    The sum over labels, of which `counts` are all pictures, of binomial tails: those of draws without replacement,
    which a gallery is, are smaller.
    """
    enough = counts[counts >= n_most]
    return min(float(bdtrc(n_most - 1, size, enough / n_images).sum()), 1.0)
