"""Principal angles between the spans of two lists of latents, and what chance would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from explorer.recent import RecentArrays
from sae_core import LatentStore
from sae_core.equal_density import random_of_equal_density
from sae_core.spans import AngleBand, orthonormal_basis, principal_angles, random_angles

N_DRAWS = 60
_SEED = 0
_QUANTILES = (0.05, 0.5, 0.95)
_ZERO = 0.01  # degrees; float32 directions leave less between equal ones
_recent = RecentArrays(2**20)


@dataclass(frozen=True)
class Band:
    """Angles of random spans, degrees, as many as were measured."""

    low: tuple[float, ...]  # 5 % quantile
    median: tuple[float, ...]
    high: tuple[float, ...]  # 95 % quantile


@dataclass(frozen=True)
class Angles:
    """How two spans lie to each other."""

    degrees: tuple[float, ...]  # rising
    dimensions: tuple[int, int]  # of either span
    d_embed: int
    random: Band  # spans of random directions
    latents: Band  # spans of random latents, each as often active as the one it stands for

    @property
    def n_shared(self) -> int:
        """Dimensions that the spans have in common."""
        return sum(angle < _ZERO for angle in self.degrees)

    @property
    def known(self) -> bool:
        """Whether there are random latents to compare each angle with."""
        return not np.isnan(self.latents.low).any()

    @property
    def n_below_chance(self) -> int:
        """Angles smaller than those of 95 % of spans of random latents of equal density."""
        return sum(angle < low - _ZERO for angle, low in zip(self.degrees, self.latents.low, strict=True))


def build_angles(store: LatentStore, a: Sequence[int], b: Sequence[int]) -> Angles | None:
    """Between the directions of latents a and b; None where a side has none."""
    left, right = (orthonormal_basis(store.directions[list(latents)]) for latents in (a, b))
    if not len(left) or not len(right):
        return None
    angles = principal_angles(left, right)
    sizes = (len(left), len(right))
    return Angles(
        degrees=_degrees(angles),
        dimensions=sizes,
        d_embed=store.manifest.d_embed,
        random=_band(_random(store.manifest.d_embed, *sizes), len(angles)),
        latents=_band(_random_latents(store, a, b), len(angles)),
    )


def _random(d: int, p: int, q: int) -> AngleBand:
    return AngleBand(*_recent.get((d, p, q), lambda: random_angles(d, p, q, N_DRAWS, _SEED)))


def _random_latents(store: LatentStore, a: Sequence[int], b: Sequence[int]) -> AngleBand:
    key = (store.version, tuple(a), tuple(b))
    return AngleBand(*_recent.get(key, lambda: _drawn(store, np.array(a), np.array(b))))


def _drawn(store: LatentStore, a: Int[np.ndarray, "p"], b: Int[np.ndarray, "q"]) -> AngleBand:
    """Both lists are drawn anew each time. NaN where a small store has too few others."""
    density = store.latents["density"].to_numpy()
    sides = [random_of_equal_density(density, side, N_DRAWS, _SEED + number) for number, side in enumerate((a, b))]
    angles = np.full((N_DRAWS, min(len(a), len(b))), np.nan)  # fewer where directions happen to coincide
    for row, left, right in zip(angles, *sides, strict=True):
        found = principal_angles(store.directions[left], store.directions[right])
        row[: len(found)] = found
    known = [column[np.isfinite(column)] for column in angles.T]
    return AngleBand(*(np.array([np.quantile(one, q) if len(one) else np.nan for one in known]) for q in _QUANTILES))


def _band(band: AngleBand, n: int) -> Band:
    """Of n angles, as many as were measured."""
    return Band(*(_degrees(angles[:n]) for angles in band))


def _degrees(angles: np.ndarray) -> tuple[float, ...]:
    return tuple(float(angle) for angle in np.degrees(angles))
