"""Principal angles between the spans of two lists of latents, and what chance would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.recent import RecentArrays
from sae_core import LatentStore
from sae_core.spans import AngleBand, orthonormal_basis, principal_angles, random_angles

N_DRAWS = 60
_SEED = 0
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
    latents: Band  # spans of random latents of this store that are not dead

    @property
    def n_shared(self) -> int:
        """Dimensions that the spans have in common."""
        return sum(angle < _ZERO for angle in self.degrees)

    @property
    def n_below_chance(self) -> int:
        """Angles smaller than those of 95 % of random latents' spans."""
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
        random=_band(_random(store.manifest.d_embed, *sizes)),
        latents=_band(_random_latents(store, *sizes)),
    )


def _random(d: int, p: int, q: int) -> AngleBand:
    return AngleBand(*_recent.get((d, p, q), lambda: random_angles(d, p, q, N_DRAWS, _SEED)))


def _random_latents(store: LatentStore, p: int, q: int) -> AngleBand:
    return AngleBand(*_recent.get((store.version, p, q), lambda: _drawn(store, p, q)))


def _drawn(store: LatentStore, p: int, q: int) -> AngleBand:
    """Both lists are drawn anew each time, without repetition within a list."""
    alive = np.flatnonzero(store.latents["n_active"].to_numpy() > 0)
    rng = np.random.default_rng([_SEED, p, q])
    angles = np.full((N_DRAWS, min(p, q)), np.nan)  # fewer where directions happen to coincide
    for row in angles:
        lists = [rng.choice(alive, min(n, len(alive)), replace=False) for n in (p, q)]
        found = principal_angles(*(store.directions[latents] for latents in lists))
        row[: len(found)] = found
    return AngleBand(*np.nanquantile(angles, (0.05, 0.5, 0.95), axis=0))


def _band(band: AngleBand) -> Band:
    return Band(*(_degrees(angles) for angles in band))


def _degrees(angles: np.ndarray) -> tuple[float, ...]:
    return tuple(float(angle) for angle in np.degrees(angles))
