"""How much of a choice's embeddings lies in the span of its strongest directions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from explorer.views.random_energy import random_alone, random_latents, random_neighbourhoods, random_sets
from explorer.views.resolved import Resolved
from explorer.views.sides import span_latents
from explorer.wording import percent
from sae_core import LatentStore
from sae_core.equal_density import random_of_equal_density
from sae_core.spans import best_span, cumulative_energy, cumulative_energy_each, unit_rows

N_DRAWS = 32
N_NEIGHBOURS = 50  # a single picture has no best span of its own: its neighbourhood's is taken
_ITSELF = 1 - 1e-5  # cosine from which on a neighbour is the picture
Line = Literal["own", "own random", "shared", "best", "random", "pictures", "neighbours"]


@dataclass(frozen=True)
class Curve:
    """Shares for j = 1 … m directions; m differs from line to line."""

    line: Line
    name: str  # what the legend says
    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Energy:
    """The curves, and the answer in a sentence."""

    curves: tuple[Curve, ...]
    n_pictures: int
    centred: bool
    pca_of: str  # which pictures the best span is of
    j: int = 0  # how many directions the sentence speaks of: no more than any curve has

    def at(self, j: int | None) -> Energy:
        """The same with a sentence about j directions, as many as every curve has where that is None or too many."""
        return replace(self, j=self.most if j is None else min(max(j, 1), self.most))

    @property
    def most(self) -> int:
        """Directions that every curve has."""
        return min((len(curve.middle) for curve in self.curves), default=0)

    @property
    def sentence(self) -> str:
        """All curves at the same number of directions: what each picture has of its own, then what one span holds."""
        if not self.curves:
            return "No latent is active in these pictures: they have no span."
        own, random, *others = self.curves
        at = self.j - 1
        whose = "This picture’s" if self.n_pictures == 1 else "Each picture’s own"
        which = "strongest direction holds" if self.j == 1 else f"{self.j} strongest directions hold"
        said = f"{whose} {which} {percent(own.middle[at])} of it"
        if self.n_pictures > 1:
            said += f" (10 to 90 % of pictures: {percent(own.low[at])} to {percent(own.high[at])})"
        beside = ", ".join(f"{curve.name} {percent(curve.middle[at])}" for curve in others)
        one = (
            "One direction"
            if self.j == 1
            else f"As many directions, one span{'' if self.n_pictures == 1 else ' for all'}"
        )
        return f"{said}; {random.name} {percent(random.middle[at])}. {one}: {beside}."


def build_energy(store: LatentStore, resolved: Resolved, centred: bool, seed: int = 0) -> Energy:
    """Medians over the pictures with 10 to 90 % bands; for what is random the medians of draws, 5 to 95 %."""
    mean = store.mean_embedding if centred else np.zeros(store.manifest.d_embed)
    x = resolved.embeddings.astype(np.float64) - mean
    shared = np.array(span_latents(resolved), dtype=np.int64)
    if not len(shared):
        return Energy((), len(x), centred, "")
    alone = len(x) == 1
    whose = "its own strongest" if alone else "each picture’s own strongest"
    curves = [_over_pictures("own", whose, cumulative_energy_each(x, _own(store, resolved)))]
    curves.append(_over_pictures("own random", "random pictures’ own strongest", random_alone(store, mean, seed)))
    if resolved.latents or not alone:
        name = "the chosen latents" if resolved.latents else "the set’s strongest"
        curves.append(_over_pictures("shared", name, cumulative_energy(x, store.directions[shared])))
    near, pca_of = _pictures_for_pca(store, resolved)
    basis = _best(near - mean, max(store.k, len(shared)))
    name = "best span of its neighbourhood (PCA)" if alone else "best possible span (PCA)"
    curves.append(_over_pictures("best", name, cumulative_energy(x, basis)))
    curves += _random(store, x, shared, seed)
    if resolved.latents or not alone:
        curves += _random_pictures(store, resolved, mean, shared, seed)
    return Energy(tuple(curves), len(x), centred, pca_of).at(None)


def _own(store: LatentStore, resolved: Resolved) -> np.ndarray:
    """Each picture's directions, strongest first; zeros where Top-K kept something that is not active."""
    active = resolved.activations > 0
    return np.where(active[:, :, None], store.directions[resolved.indices], 0)


def _best(x: np.ndarray, j: int) -> np.ndarray:
    """The best j directions, each picture counting alike; zeros where the pictures have fewer dimensions."""
    basis = best_span(unit_rows(x), j)
    return np.pad(basis, ((0, j - len(basis)), (0, 0)))


def _pictures_for_pca(store: LatentStore, resolved: Resolved) -> tuple[np.ndarray, str]:
    if len(resolved.embeddings) > 1:
        return resolved.embeddings.astype(np.float64), "these pictures"
    found = store.nearest_images(resolved.centre, N_NEIGHBOURS + 1)
    ids = found.ids[found.similarities < _ITSELF][:N_NEIGHBOURS]
    why = "without it, since one picture alone is its own best span"
    return store.embeddings(ids).astype(np.float64), f"the {len(ids)} nearest pictures, {why}"


def _over_pictures(line: Line, name: str, shares: np.ndarray) -> Curve:
    return _quantiles(line, name, shares, (0.1, 0.5, 0.9))


def _over_draws(line: Line, name: str, medians: np.ndarray) -> Curve:
    return _quantiles(line, name, medians, (0.05, 0.5, 0.95))


def _quantiles(line: Line, name: str, shares: np.ndarray, at: tuple[float, float, float]) -> Curve:
    low, middle, high = np.quantile(shares, at, axis=0)
    return Curve(line, name, tuple(middle.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def _random(store: LatentStore, x: np.ndarray, latents: np.ndarray, seed: int) -> list[Curve]:
    """None where the store has no other living latents."""
    drawn = random_of_equal_density(store.latents["density"].to_numpy(), latents, N_DRAWS, seed=seed)
    if not drawn.shape[1]:
        return []
    medians = np.stack([np.median(cumulative_energy(x, store.directions[row]), axis=0) for row in drawn])
    return [_over_draws("random", "random latents of equal density", medians)]


def _random_pictures(
    store: LatentStore, resolved: Resolved, mean: np.ndarray, latents: np.ndarray, seed: int
) -> list[Curve]:
    """The same question of others: of random latents and their pictures, or of random sets of pictures."""
    if resolved.latents:
        held = random_latents(store, latents, len(resolved.embeddings), mean, seed)
        name = "random latents in their own pictures"
        return [_over_draws("pictures", name, held)] if len(held) else []
    asked = (store, len(resolved.embeddings), len(latents), mean, seed)
    return [
        _over_draws("pictures", "random sets’ own strongest", random_sets(*asked)),
        _over_draws("neighbours", "random neighbourhoods’ own strongest", random_neighbourhoods(*asked)),
    ]
