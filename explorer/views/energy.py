"""How much of a choice's embeddings lies in the span of its strongest directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.views.resolved import Resolved
from explorer.views.sides import span_latents
from explorer.wording import percent
from sae_core import LatentStore
from sae_core.equal_density import random_of_equal_density
from sae_core.spans import best_span, cumulative_energy, cumulative_energy_each

N_DRAWS = 32
N_NEIGHBOURS = 50  # a single picture has no best span of its own: its neighbourhood's is taken
Line = Literal["own", "shared", "best", "random"]
NAMES: dict[Line, str] = {
    "own": "each picture’s own strongest",
    "shared": "the set’s strongest",
    "best": "best possible span (PCA)",
    "random": "random latents of equal density",
}


@dataclass(frozen=True)
class Curve:
    """Shares for j = 1 … k directions."""

    line: Line
    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def name(self) -> str:
        """What the legend says."""
        return NAMES[self.line]


@dataclass(frozen=True)
class Energy:
    """The curves, and the answer in a sentence."""

    curves: tuple[Curve, ...]
    n_pictures: int
    centred: bool
    pca_of: str  # which pictures the best span is of

    @property
    def sentence(self) -> str:
        """The last point of each curve."""
        ends = {curve.line: curve for curve in self.curves}
        if "own" not in ends:
            return "No latent is active in these pictures: they have no span."
        own = ends["own"]
        j = len(own.middle)
        whose = "This picture’s" if self.n_pictures == 1 else "Each picture’s own"
        band = "" if self.n_pictures == 1 else f" (10 to 90 % of pictures: {_band(own)})"
        said = f"{whose} {j} strongest directions hold {percent(own.middle[-1])} of it{band}"
        beside = [f"the best {j} dimensions {percent(ends['best'].middle[-1])}"] if "best" in ends else []
        if "random" in ends:
            beside.append(f"as many random latents of equal density {percent(ends['random'].middle[-1])}")
        return f"{said}; {', '.join(beside)}." if beside else f"{said}."


def build_energy(store: LatentStore, resolved: Resolved, centred: bool) -> Energy:
    """Medians over the pictures with 10 to 90 % bands; for random latents the medians of draws, 5 to 95 %."""
    mean = store.mean_embedding if centred else np.zeros(store.manifest.d_embed)
    x = resolved.embeddings.astype(np.float64) - mean
    shared = span_latents(resolved)[: max(store.k, len(resolved.latents or ()))]
    if not shared:
        return Energy((), len(x), centred, "")
    curves = [_over_pictures("own", cumulative_energy_each(x, _own(store, resolved)))]
    if len(x) > 1 or resolved.latents:
        curves.append(_over_pictures("shared", cumulative_energy(x, store.directions[shared])))
    near, pca_of = _pictures_for_pca(store, resolved)
    basis = best_span(near - mean, len(shared))
    curves.append(_over_pictures("best", cumulative_energy(x, basis)))
    curves.append(_random(store, x, np.array(shared)))
    return Energy(tuple(curves), len(x), centred, pca_of)


def _own(store: LatentStore, resolved: Resolved) -> np.ndarray:
    """Each picture's directions, strongest first; zeros where Top-K kept something that is not active."""
    active = resolved.activations > 0
    return np.where(active[:, :, None], store.directions[resolved.indices], 0)


def _pictures_for_pca(store: LatentStore, resolved: Resolved) -> tuple[np.ndarray, str]:
    if len(resolved.embeddings) > 1:
        return resolved.embeddings.astype(np.float64), "these pictures"
    ids = store.nearest_images(resolved.centre, N_NEIGHBOURS).ids
    near = np.concatenate([resolved.embeddings, store.embeddings(ids)]).astype(np.float64)
    return near, f"the {len(ids)} nearest pictures, since one picture alone spans itself"


def _over_pictures(line: Line, shares: np.ndarray) -> Curve:
    low, middle, high = np.quantile(shares, (0.1, 0.5, 0.9), axis=0)
    return Curve(line, tuple(middle.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def _random(store: LatentStore, x: np.ndarray, latents: np.ndarray) -> Curve:
    drawn = random_of_equal_density(store.latents["density"].to_numpy(), latents, N_DRAWS, seed=len(latents))
    if not drawn.shape[1]:
        return Curve("random", (0.0,), (0.0,), (0.0,))
    medians = np.stack([np.median(cumulative_energy(x, store.directions[row]), axis=0) for row in drawn])
    low, middle, high = np.quantile(medians, (0.05, 0.5, 0.95), axis=0)
    return Curve("random", tuple(middle.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def _band(curve: Curve) -> str:
    return f"{percent(curve.low[-1])} to {percent(curve.high[-1])}"
