"""Where in the picture a latent's pre-activation comes from: the view of one heat map, and of the test of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy.special import stdtrit

from explorer.views.heat_maps import HeatMaps
from explorer.views.inspection import Source
from explorer.views.parts import LatentRef, latent_ref
from explorer.views.where_query import METHODS, WhereQuery
from sae_core import LatentStore
from sae_core.heatmaps import DeletionCurve, Grid
from sae_core.store.records import SparseCode

_CHANCE = 0.025  # that one of two maps which are no better than random orders is called better


@dataclass(frozen=True, eq=False)
class WhereView:
    """One heat map, and what is needed to read it."""

    query: WhereQuery
    ref: LatentRef
    pixels: UInt8[np.ndarray, "crop crop 3"]  # the crop that the encoder sees
    grid: Grid
    values: Float[np.ndarray, "n_cells n_cells"]
    pre_activation: float  # in the picture that was encoded here
    nothing: float  # of the mean colour alone
    threshold: float  # the pre-activation that the latent must reach in the picture
    has_thresholds: bool  # that is the latent's own; otherwise the weakest that Top-K keeps
    cosine: float  # between the embedding of what was encoded here and the one that is inspected
    from_thumbnail: bool
    deletion: Deletion | None

    @property
    def active(self) -> bool:
        """In the picture that was encoded here."""
        return self.pre_activation > 0 and self.pre_activation >= self.threshold

    @property
    def scale(self) -> float:
        """Largest absolute value of the map; 1 where the map is zero everywhere."""
        largest = float(np.abs(self.values).max())
        return largest if largest > 1e-7 else 1.0

    @property
    def empty(self) -> bool:
        """Nothing in the picture changes anything: a picture of the mean colour."""
        return float(np.abs(self.values).max()) <= 1e-7


@dataclass(frozen=True, eq=False)
class Deletion:
    """The deletion test of both methods beside its baselines."""

    occlusion: DeletionCurve
    gradients: DeletionCurve
    centre: DeletionCurve
    random: tuple[DeletionCurve, ...]

    @property
    def random_areas(self) -> tuple[float, float, float]:
        """Least, mean and largest."""
        areas = [curve.area for curve in self.random]
        return min(areas), sum(areas) / len(areas), max(areas)

    @property
    def margin(self) -> float:
        """By how much areas differ where only the order does, by chance: the random ones' standard deviation."""
        return float(np.std([curve.area for curve in self.random], ddof=1))

    @property
    def by_chance(self) -> float:
        """The area below which the better of two more random orders would be once in forty times.

        Student's prediction interval for one more value of a normal sample, Bonferroni for two: the least of eight
        would be beaten by the better of two as good in one time of five.
        """
        n = len(self.random)
        reach = -float(stdtrit(n - 1, _CHANCE / 2)) * np.sqrt(1 + 1 / n)
        return float(self.random_areas[1] - reach * self.margin)


def choices(store: LatentStore, code: SparseCode) -> tuple[LatentRef, ...]:
    """The latents that are active in the picture, strongest first."""
    shown = (int(latent) for latent in code.latents if int(latent) not in store.hidden.latents)
    return tuple(latent_ref(store, latent) for latent in shown)


def build_where(store: LatentStore, source: Source, query: WhereQuery, maps: HeatMaps) -> WhereView:
    """Computes what is not kept yet. Raises IndexError where the store has no such latent, WithheldError where it is
    hidden.
    """
    latent = query.latent
    store.check_latents_shown([latent])
    ref = latent_ref(store, latent)
    values = maps.map(latent, query.method)
    seen, plain = maps.ends()
    z = store.pre_activations(seen)
    return WhereView(
        query=query,
        ref=ref,
        pixels=maps.pixels,
        grid=maps.grid,
        values=values,
        pre_activation=float(z[latent]),
        nothing=float(store.pre_activations(plain)[latent]),
        threshold=store.bar(z, latent),
        has_thresholds=store.has_thresholds,
        cosine=float(seen @ source.embedding),
        from_thumbnail=source.image_id is not None and store.original(source.image_id) is None,
        deletion=_deletion(maps, latent) if query.deletion else None,
    )


def status(view: WhereView, k: int) -> str:
    """Whether the latent is active in the picture, against what."""
    if view.has_thresholds:
        return "it is active: above its threshold" if view.active else "it is not active: not above its threshold"
    if view.active:
        return f"it is active: one of the {k} that Top-K keeps"
    kept = view.pre_activation >= view.threshold
    lost = "Top-K keeps it, but it is not above 0" if kept else "it lost the Top-K"
    dead = ", as in all pictures of this store" if view.ref.dead else ""
    return f"it is not active{dead}: {lost}"


def verdict(deletion: Deletion) -> str:
    """Which order finds the pixels that matter, as far as the areas tell it: they must differ by more than chance."""
    least = deletion.by_chance
    areas = {METHODS["occlusion"]: deletion.occlusion.area, METHODS["gradients"]: deletion.gradients.area}
    best, other = sorted(areas, key=lambda name: areas[name])
    if areas[best] >= least:
        return "Neither map finds the pixels that matter clearly better than random orders"
    if areas[other] - areas[best] < deletion.margin:
        said = "In this picture both maps find the pixels that matter about as soon"
    else:
        said = f"In this picture {best} finds the pixels that matter sooner than {other}"
    if areas[other] >= least:
        said += f"; {other} is no better than chance"
    if deletion.centre.area < areas[best] + deletion.margin:
        said += "; going from the centre outwards does about as well, so the map says little beyond “in the middle”"
    return said


def _deletion(maps: HeatMaps, latent: int) -> Deletion:
    curves = maps.deletion(latent)
    return Deletion(curves["occlusion"][0], curves["gradients"][0], curves["centre"][0], curves["random"])
