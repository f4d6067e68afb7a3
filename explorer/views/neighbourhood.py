"""How few latents explain a neighbourhood, against as many pictures of its label and as many random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.recent import RecentArrays
from explorer.views.parts import LatentCard, Tile, latent_card, tiles
from explorer.views.resolved import Resolved
from explorer.wording import plural
from sae_core import LatentStore
from sae_core.errors import SparsightError
from sae_core.linear_heads import Head, global_head
from sae_core.neighbourhoods import Union, fewest, labels_kept, simultaneous_pursuit, union_of

KEEP = (0.9, 0.95, 0.99)
N_CARDS, N_CARD_TILES, N_TILES = 6, 9, 24
_DRAWS, _MANY, _DRAWS_OF_MANY = 8, 100, 4  # sets of random pictures; of more pictures each takes longer
Few = tuple[int | None, ...]  # one for each of KEEP; None where that is never reached
_heads = RecentArrays(64 << 20)


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


@dataclass(frozen=True)
class Neighbourhood:
    """The neighbourhood and what it is compared with."""

    rows: tuple[SetRow, ...]  # the neighbourhood first, random pictures last
    spread: Spread  # of the last row, over several draws
    label: str | None  # whose pictures the second row has
    cards: tuple[LatentCard, ...]  # its strongest latents; figure = share of the mass
    tiles: tuple[Tile, ...]

    @property
    def sentence(self) -> str:
        """The paper's claim on these pictures."""
        here, chance = self.rows[0], self.rows[-1]
        if not here.n_union:
            return f"No latent is active in this neighbourhood of {here.n_pictures}: nothing explains it."
        active = f"{plural(here.n_union, 'latent')} {'is' if here.n_union == 1 else 'are'} active"
        union, few, draws = f"{chance.n_union:,}", _some(chance.mass[0]), ""
        if self.spread.n_union and self.spread.mass[0] and self.spread.n_draws > 1:
            union, few = written(self.spread.n_union), written(self.spread.mass[0])
            draws = f" ({self.spread.n_draws} draws)"
        return (
            f"{active} somewhere in this neighbourhood of {here.n_pictures}; "
            f"{_some(here.mass[0])} hold 90 % of its activation. In {chance.n_pictures} random pictures"
            f"{draws} {union} are active, and {few} hold 90 %."
        )


def build_neighbourhood(
    store: LatentStore, resolved: Resolved, n: int, seed: int = 0, measure: Measure | None = None
) -> Neighbourhood:
    """The n pictures nearest to the choice's centre, n of the same label, n random ones (seeded; several draws).

    `measure` may remember what `measure_set` answered.
    """
    ids = store.nearest_images(resolved.centre, n).ids.astype(np.int64)
    code = _label_of(store, resolved, ids)
    sets = [("nearest pictures", ids)]
    if code is not None:
        sets.append((f"labelled “{store.labels.titles[code]}”", _sample(store.images_of_label(code), n, seed)))
    rows = [(measure or measure_set)(store, name, members) for name, members in sets]
    draws = _random(store, n, seed, measure or measure_set)
    first = union_of(*store.codes(ids))
    shares = first.mass / max(float(first.mass.sum()), 1e-12)
    shown = ids[:N_TILES].tolist()
    return Neighbourhood(
        rows=(*rows, draws[0]),
        spread=spread_of(draws),
        label=None if code is None else store.labels.titles[code],
        cards=tuple(
            latent_card(store, int(latent), N_CARD_TILES, figure=float(share))
            for latent, share in zip(first.latents[:N_CARDS], shares, strict=False)
        ),
        tiles=tiles(store, shown, (store.embeddings(shown) @ resolved.centre).tolist(), figure_name="cosine"),
    )


def measure_set(store: LatentStore, name: str, ids: np.ndarray) -> SetRow:
    """`set_row` of pictures of the store, with the store's own head."""
    return set_row(store, name, len(ids), union_of(*store.codes(ids)), _head(store))


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


def _random(store: LatentStore, n: int, seed: int, measure: Measure) -> list[SetRow]:
    """Several draws; one where all pictures are drawn."""
    n_draws = (_DRAWS if n <= _MANY else _DRAWS_OF_MANY) if n < store.n_images else 1
    every = np.arange(store.n_images)
    return [measure(store, "random pictures", _sample(every, n, seed * _DRAWS + draw)) for draw in range(n_draws)]


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


def _head(store: LatentStore) -> Head | None:
    """The store's own linear head; None where there are not two labels."""
    try:
        return Head(*_heads.get(store.version, lambda: tuple(global_head(store.moments))))
    except SparsightError:
        return None


def _label_of(store: LatentStore, resolved: Resolved, ids: np.ndarray) -> int | None:
    """The label chosen, otherwise the commonest one of the choice's pictures, otherwise of the neighbours."""
    if resolved.label is not None:
        return resolved.label
    for members in (resolved.image_ids, ids):
        codes = store.labels.codes[members]
        codes = codes[codes >= 0]
        if len(codes):
            return int(np.bincount(codes).argmax())
    return None


def _sample(ids: np.ndarray, n: int, seed: int) -> np.ndarray:
    """n of them, all where there are fewer; the same every time."""
    if len(ids) <= n:
        return ids
    return np.sort(np.random.default_rng(seed).choice(ids, n, replace=False))


def _some(few: int | None) -> str:
    return "none" if few is None else f"{few:,}"
