"""What a store answers about latents."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from sae_core.store import layout, search
from sae_core.store.hidden import redacted_controls, redacted_latents
from sae_core.store.latent_facts import LatentFacts
from sae_core.store.records import (
    ActivationHistogram,
    Coactive,
    CoactivePairs,
    Effects,
    Gallery,
    LabelProfile,
    NearMisses,
    Neighbours,
)
from sae_core.store.sae_reads import SAEReads

_TEXT_COLUMNS = ("top_label", "name", "name_source", "name_match")


class LatentReads(SAEReads):
    """Galleries and their parts, figures, neighbours, rankings; latents are 0 … n_latents - 1."""

    def decile_range(self, latent: int, decile: int) -> tuple[int, int]:
        """Ranks [start, stop) of a decile of the gallery: equally many images each, 10 the strongest, 1 the weakest."""
        if not 1 <= decile <= layout.N_DECILES:
            raise IndexError(f"there is no decile {decile}; they are 1 … {layout.N_DECILES}")
        size, above = self.gallery_size(latent), layout.N_DECILES - decile
        return size * above // layout.N_DECILES, size * (above + 1) // layout.N_DECILES

    def random_members(self, latent: int, n: int, seed: int) -> Gallery:
        """n images of the gallery, drawn without replacement, strongest first; the same for the same seed."""
        low, high = self._posting_range(latent)
        size = high - low
        rng = np.random.default_rng([seed, latent])
        ranks = np.arange(size) if size <= n else np.sort(rng.choice(size, n, replace=False, shuffle=False))
        return Gallery(np.array(self._posting_ids[low + ranks]), np.array(self._posting_activations[low + ranks]))

    def near_misses(self, latent: int, start: int = 0, stop: int | None = None) -> NearMisses:
        """Images in which the latent lost the Top-K, highest pre-activation first; N_NEAR_MISSES at most are stored."""
        self._check(latent, self.n_latents, "latent")
        ids, pre_activations = (found[start:stop] for found in self._facts.near_misses(latent))
        weakest = np.array(self._activations[ids, self.k - 1])
        bars = weakest if self._thresholds is None else np.maximum(weakest, self._thresholds[latent])
        return NearMisses(ids, pre_activations, bars)

    def histogram(self, latent: int) -> ActivationHistogram:
        """How many images have which activation, over the whole gallery."""
        strongest = self.gallery(latent, 0, 1).activations
        return self._facts.histogram(latent, float(strongest[0]) if len(strongest) else 0.0)

    def label_profile(self, latent: int) -> LabelProfile:
        """The gallery's most common labels by decile of activation."""
        self._check(latent, self.n_latents, "latent")
        return self._facts.label_profile(latent)

    def coactive(self, latent: int) -> Coactive:
        """Latents active together with this one more often than chance, most certainly so first."""
        self._check(latent, self.n_latents, "latent")
        return self._facts.coactive(latent)

    def coactive_pairs(self) -> CoactivePairs:
        """Every pair that `coactive` may name, without those of hidden latents."""
        return self._facts.coactive_pairs()

    def together_by_chance(
        self, first: Int64[np.ndarray, "m"], second: Int64[np.ndarray, "m"]
    ) -> Float64[np.ndarray, "m"]:
        """Images in which the latents of each pair would both be active by chance: what a lift is held against."""
        return self._facts.together_by_chance(first, second)

    @property
    def count_bond(self) -> float:
        """What ties latents to each other because an image has only so many (`statistics.count_bond`)."""
        return self._facts.bond

    def effects(self, latent: int) -> Effects:
        """Labels whose scores the direction moves most; empty where the store has no labels."""
        self._check(latent, self.n_latents, "latent")
        return self._facts.effects(latent)

    @cached_property
    def latents(self) -> pd.DataFrame:
        """Figures of every latent (`layout.LATENT_SCHEMA`), row = latent; None where a text is missing.

        A hidden latent has the figures of a dead one, and no name.
        """
        return redacted_latents(self._figures(layout.LATENTS), self._files.labels(), self.hidden)

    @cached_property
    def controls(self) -> pd.DataFrame | None:
        """The same figures of random directions, and of latents' own (`layout.CONTROL_SCHEMA`), to compare with.

        None where the store was built before there were any. Without the rows that are matched with a hidden latent.
        """
        if layout.CONTROLS not in self.manifest.files:
            return None
        return redacted_controls(self._figures(layout.CONTROLS), self._files.labels(), self.hidden)

    def _figures(self, name: str) -> pd.DataFrame:
        frame = pd.read_parquet(self.path / name)
        later = {column: np.nan for column in layout.LATER_COLUMNS if column not in frame}
        texts = {name: [value if isinstance(value, str) else None for value in frame[name]] for name in _TEXT_COLUMNS}
        return frame.assign(**later, **{name: pd.Series(values, dtype=object) for name, values in texts.items()})

    def similar_latents(self, latent: int, n: int) -> Neighbours:
        """The n other latents whose directions are most similar; hidden ones are left out, and have none."""
        self._check(latent, self.n_latents, "latent")
        if latent in self.hidden.latents:
            return Neighbours(np.zeros(0, np.int64), np.zeros(0, np.float32))
        n_searched = min(n + 1 + len(self.hidden.latents), self.n_latents)
        found = search.nearest(self._latent_index, self._latent_index.reconstruct(int(latent)), n_searched)
        others = (found.ids != latent) & ~np.isin(found.ids, sorted(self.hidden.latents))
        return Neighbours(found.ids[others][:n], found.similarities[others][:n])

    def text_scores(
        self, embedding: Float32[np.ndarray, "d_embed"], against: Literal["centroids", "directions"] = "centroids"
    ) -> Float32[np.ndarray, "n_latents"]:
        """Cosine of an embedding (of a text) with every latent's gallery centroid or direction.

        Centroids are taken from the store's mean embedding. NaN for a dead latent, which has no centroid, and for a
        hidden one.
        """
        search.check_width(embedding, self.manifest.d_embed)
        centroids = against == "centroids"
        scores = (self._facts.centroids if centroids else self.directions) @ embedding
        unknown = np.diff(self._offsets) == 0 if centroids else np.zeros(self.n_latents, dtype=bool)
        unknown[sorted(self.hidden.latents)] = True
        return np.where(unknown, np.float32("nan"), scores).astype(np.float32)

    @cached_property
    def _facts(self) -> LatentFacts:
        return LatentFacts(self._files, np.diff(self._offsets), self.hidden.latents)
