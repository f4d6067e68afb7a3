"""How few latents are enough for a set of pictures, and how far random sets differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explorer.recent import RecentArrays
from sae_core import LatentStore
from sae_core.errors import SparsightError
from sae_core.linear_heads import Head, global_head
from sae_core.neighbourhoods import Union, fewest, labels_kept, simultaneous_pursuit, union_of

KEEP = (0.9, 0.95, 0.99)
_DRAWS, _MANY, _DRAWS_OF_MANY = 8, 100, 4  # sets of random pictures; of more pictures each takes longer
_OTHER_SEED = 7_919  # so that centres are not the pictures of a random set
_recent = RecentArrays(2**20)  # random neighbourhoods, the same for every choice
Few = tuple[int | None, ...]  # one for each of KEEP; None where that is never reached


@dataclass(frozen=True)
class SetRow:
    """One set of pictures."""

    name: str
    n_pictures: int
    n_union: int  # latents active in at least one of them
    mass: Few
    energy: Few
    labels: Few | None  # None where the store has no two labels
    kept: tuple[float, ...]  # share of the mass in the first 1 … n_union latents


Range = tuple[int, int] | None  # smallest and largest of several draws; None where one of them has no number


@dataclass(frozen=True)
class Spread:
    """How far sets of as many random pictures differ."""

    n_draws: int
    n_union: Range
    mass: tuple[Range, ...]
    energy: tuple[Range, ...]
    labels: tuple[Range, ...] | None


Measure = Callable[[LatentStore, str, np.ndarray], SetRow]  # of a set's name and its pictures


def measure_set(store: LatentStore, name: str, ids: np.ndarray) -> SetRow:
    """`set_row` of pictures of the store, with the store's own head."""
    return set_row(store, name, len(ids), union_of(*store.codes(ids)), own_head(store))


def set_row(store: LatentStore, name: str, n_pictures: int, union: Union, head: Head | None) -> SetRow:
    """How few latents of a union keep its mass, the energy of its reconstructions, and its labels."""
    rows = store.decoder_rows[union.latents].astype(np.float64)
    pursuit = simultaneous_pursuit(union.codes @ rows, store.directions[union.latents], keep=max(KEEP))
    labels = None
    if head is not None:
        labels = labels_kept(union, rows @ head.weights.T, head.bias + head.weights @ store.decoder_bias, KEEP)
    return SetRow(
        name=name,
        n_pictures=n_pictures,
        n_union=len(union.latents),
        mass=tuple(fewest(union.kept, keep) for keep in KEEP),
        energy=tuple(fewest(pursuit.energy, keep) for keep in KEEP),
        labels=labels,
        kept=tuple(union.kept.tolist()),
    )


def random_sets(store: LatentStore, n: int, seed: int, measure: Measure) -> list[SetRow]:
    """Several draws; one where all pictures are drawn."""
    every = np.arange(store.n_images)
    draws = range(_n_draws(store, n))
    return [measure(store, "random pictures", sample(every, n, seed * _DRAWS + draw)) for draw in draws]


def random_neighbourhoods(store: LatentStore, n: int, seed: int, measure: Measure) -> list[SetRow]:
    """The n pictures nearest to each of several random ones: any neighbourhood has fewer than random pictures."""

    def compute() -> tuple[np.ndarray, ...]:
        centres = sample(np.arange(store.n_images), _n_draws(store, n), seed + _OTHER_SEED)
        near = store.nearest_images_of_each(store.embeddings(centres), n)
        return tuple(np.sort(found.ids.astype(np.int64)) for found in near)

    near = _recent.get((str(store.path), store.version, n, seed), compute)
    return [measure(store, "random neighbourhoods", ids) for ids in near]


def _n_draws(store: LatentStore, n: int) -> int:
    return (_DRAWS if n <= _MANY else _DRAWS_OF_MANY) if n < store.n_images else 1


def spread_of(rows: list[SetRow]) -> Spread:
    """The ranges of several draws."""
    labels = [row.labels for row in rows if row.labels is not None]
    return Spread(
        n_draws=len(rows),
        n_union=_range([row.n_union for row in rows]),
        mass=tuple(_range(column) for column in zip(*(row.mass for row in rows), strict=True)),
        energy=tuple(_range(column) for column in zip(*(row.energy for row in rows), strict=True)),
        labels=tuple(_range(column) for column in zip(*labels, strict=True)) if labels else None,
    )


def _range(numbers: Sequence[int | None]) -> Range:
    known = [number for number in numbers if number is not None]
    return (min(known), max(known)) if len(known) == len(numbers) else None


def written(found: Range) -> str:
    """`377 to 401`; one number where all are the same, a dash where there is none."""
    if found is None:
        return "–"
    low, high = found
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


# One, of the store that is shown, whatever its size: 89 MB for 21,841 labels, and every set asks for it.
@lru_cache(maxsize=1)
def own_head(store: LatentStore) -> Head | None:
    """The store's own linear head; None where there are not two labels."""
    try:
        return global_head(store.moments)
    except SparsightError:
        return None


def sample(ids: np.ndarray, n: int, seed: int) -> np.ndarray:
    """n of them, all where there are fewer; the same every time."""
    if len(ids) <= n:
        return ids
    return np.sort(np.random.default_rng(seed).choice(ids, n, replace=False))
