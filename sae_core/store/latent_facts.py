"""What the builder found out about each latent (`latents/`): read a row at a time, whatever the number of images."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sae_core.statistics import count_bond, lift, poisson_low
from sae_core.store import layout
from sae_core.store.files import StoreFiles
from sae_core.store.records import ActivationHistogram, Coactive, CoactivePairs, Effects, LabelProfile

_COUNTED = 4_096  # images whose active latents are counted: the variance of their number is known to some percent


class LatentFacts:
    """Rows of the per-latent arrays; latents are 0 … n_latents - 1 and checked by the caller.

    Nothing is known of a hidden latent, nor named beside another.
    """

    def __init__(
        self, files: StoreFiles, gallery_sizes: Int64[np.ndarray, "n_latents"], hidden: frozenset[int] = frozenset()
    ) -> None:
        self._files, self._sizes, self._hidden = files, gallery_sizes, hidden

    def histogram(self, latent: int, strongest: float) -> ActivationHistogram:
        """Images by activation, in bins of equal width from 0 to the strongest."""
        edges = np.linspace(0, strongest, layout.N_BINS + 1, dtype=np.float32)
        return ActivationHistogram(np.array(self._row(layout.HISTOGRAMS, latent)), edges)

    def label_profile(self, latent: int) -> LabelProfile:
        """The most common labels of the gallery by decile."""
        codes = np.array(self._row(layout.LABEL_CODES, latent))
        there = codes >= 0
        return LabelProfile(codes[there], np.array(self._row(layout.LABEL_COUNTS, latent))[there])

    def coactive(self, latent: int) -> Coactive:
        """Latents active together with this one more often than chance."""
        found = np.array(self._row(layout.COACTIVE, latent)).astype(np.int64)
        there = (found >= 0) & ~np.isin(found, sorted(self._hidden))
        latents, n_both = found[there], np.array(self._row(layout.COACTIVE_COUNTS, latent))[there]
        sizes, n_images = (self._sizes[latent], self._sizes[latents]), self._files.manifest.n_images
        lifts, low = (lift(count, *sizes, n_images, self.bond) for count in (n_both, poisson_low(n_both)))
        beyond = np.argsort(-low, kind="stable")  # the builder's order knows nothing of the bond
        beyond = beyond[low[beyond] > 1]
        lifts, low = (values[beyond].astype(np.float32) for values in (lifts, low))
        return Coactive(latents[beyond], n_both[beyond], lifts, low)

    def coactive_pairs(self) -> CoactivePairs:
        """All pairs of which at least one latent names the other, each once, by number."""
        partners = self._array(layout.COACTIVE).astype(np.int64)
        n, width = partners.shape
        first, second = np.repeat(np.arange(n), width), partners.ravel()
        hidden = sorted(self._hidden)
        there = np.flatnonzero((second >= 0) & ~np.isin(first, hidden) & ~np.isin(second, hidden))
        low, high = np.minimum(first[there], second[there]), np.maximum(first[there], second[there])
        _, once = np.unique(low * n + high, return_index=True)
        n_both = self._array(layout.COACTIVE_COUNTS).ravel()[there[once]]
        return CoactivePairs(low[once], high[once], np.asarray(n_both))

    def together_by_chance(
        self, first: Int64[np.ndarray, "m"], second: Int64[np.ndarray, "m"]
    ) -> Float64[np.ndarray, "m"]:
        """Images in which both would be active by chance; 0 where one is dead."""
        one = lift(
            np.ones(len(first)), self._sizes[first], self._sizes[second], self._files.manifest.n_images, self.bond
        )
        return np.where(one > 0, 1 / np.where(one > 0, one, 1), 0.0)

    def near_misses(self, latent: int) -> tuple[Int64[np.ndarray, "m"], Float32[np.ndarray, "m"]]:
        """Images and pre-activations, highest first."""
        ids = np.array(self._row(layout.NEAR_MISSES, latent))
        there = ids >= 0
        return ids[there], np.array(self._row(layout.NEAR_MISS_PRE_ACTIVATIONS, latent))[there]

    def effects(self, latent: int) -> Effects:
        """Labels that the direction raises most, then those that it lowers most."""
        labels = np.array(self._row(layout.EFFECT_LABELS, latent)).astype(np.int64)
        there = labels >= 0
        cosines, z = (np.array(self._row(name, latent))[there] for name in (layout.EFFECT_COSINES, layout.EFFECT_Z))
        return Effects(labels[there], cosines, z)

    @cached_property
    def centroids(self) -> Float32[np.ndarray, "n_latents d_embed"]:
        """Unit vectors from the store's mean embedding to each gallery's; 0 for dead latents."""
        return self._files.array(layout.CENTROIDS)

    @cached_property
    def bond(self) -> float:
        """What ties latents to each other because an image has only so many."""
        n = self._files.manifest.n_images
        if self._sizes.sum() == n * self._files.manifest.k:  # all that Top-K kept are active: always as many
            return count_bond(self._sizes / n, 0.0)
        some = np.unique(np.linspace(0, n - 1, min(n, _COUNTED)).astype(np.int64))
        return count_bond(self._sizes / n, float((self._files.array(layout.CODE_ACTIVATIONS)[some] > 0).sum(1).var()))

    def _row(self, name: str, latent: int) -> np.ndarray:
        row: np.ndarray = self._array(name)[latent]
        if latent not in self._hidden:
            return row
        return np.zeros_like(row) if name == layout.HISTOGRAMS else np.full_like(row, -1)  # -1: an empty place

    def _array(self, name: str) -> np.ndarray:
        if name not in self._arrays:
            self._arrays[name] = self._files.array(name)
        return self._arrays[name]

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {}
