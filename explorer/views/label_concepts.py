"""How often the concepts of a choice are active in pictures of each label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.views.parts import LatentRef, latent_ref
from explorer.views.resolved import Resolved
from explorer.views.sides import span_latents
from sae_core import LatentStore

N_LABELS = 12
N_CONCEPTS = 12
_N_NEAR = 200  # pictures whose labels are near ones


@dataclass(frozen=True)
class LabelColumn:
    """One label."""

    title: str
    n: int  # pictures of the store that are shown
    own: bool  # pictures of the choice carry it; else it is a label of near pictures


@dataclass(frozen=True)
class LabelConcepts:
    """P(active | label) of each concept, beside its density; of the pictures that are shown."""

    concepts: tuple[LatentRef, ...]
    labels: tuple[LabelColumn, ...]
    shares: tuple[tuple[float, ...], ...]  # a row per concept, a column per label

    @property
    def densities(self) -> tuple[float, ...]:
        """The baseline: the share of all pictures in which the concept is active."""
        return tuple(ref.density for ref in self.concepts)


def build_label_concepts(store: LatentStore, resolved: Resolved) -> LabelConcepts | None:
    """The choice's strongest concepts and its labels. None where there are no labels, or no active latents."""
    concepts = span_latents(resolved)[:N_CONCEPTS]
    own, near = _labels(store, resolved)
    codes = [*own, *near][:N_LABELS]
    if not concepts or not codes:
        return None
    n = _sizes(store)[codes]
    shares = [_counts(store, latent)[codes] / n for latent in concepts]
    return LabelConcepts(
        concepts=tuple(latent_ref(store, latent) for latent in concepts),
        labels=tuple(
            LabelColumn(store.labels.titles[code], int(size), code in own) for code, size in zip(codes, n, strict=True)
        ),
        shares=tuple(tuple(float(share) for share in row) for row in shares),
    )


def _labels(store: LatentStore, resolved: Resolved) -> tuple[list[int], list[int]]:
    """Labels of the choice's pictures, most common first; then those of near pictures, nearest first."""
    mine = store.labels.codes[resolved.image_ids]
    codes, counts = np.unique(mine[mine >= 0], return_counts=True)
    own = [int(code) for code in codes[np.argsort(-counts, kind="stable")]]
    ids = store.nearest_images(resolved.centre, _N_NEAR).ids
    found = store.labels.codes[ids[store.shown(ids)]]
    near = dict.fromkeys(int(code) for code in found if code >= 0)
    return own, [code for code in near if code not in own]


def _sizes(store: LatentStore) -> np.ndarray:
    """Pictures of each label."""
    return _of_labels(store, np.arange(store.n_images)) if store.hidden else np.asarray(store.labels.counts)


def _counts(store: LatentStore, latent: int) -> np.ndarray:
    """Pictures of each label in which the latent is active."""
    return _of_labels(store, store.gallery(latent).image_ids)


def _of_labels(store: LatentStore, image_ids: np.ndarray) -> np.ndarray:
    codes = store.labels.codes[image_ids[store.shown(image_ids)]]
    return np.bincount(codes[codes >= 0], minlength=len(store.labels.names))
