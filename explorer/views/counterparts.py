"""A latent's counterparts in other SAEs on the same pictures: by direction, and by pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.recent import RecentArrays
from explorer.views.found_again import N_IMAGES, alive, galleries_again, gallery_ids, random_again
from explorer.views.names import automatic_name
from explorer.views.parts import LatentRef
from explorer.views.standing import ALIKE, LEAST, Standing, among_values
from explorer.views.striking import MIN_PICTURES
from explorer.views.tiles import Tile, tiles
from sae_core import LatentStore

_N_TILES = 4
_AROUND = 64  # random directions that are about as frequent
_TOGETHER = 2**16  # codes in memory at once
_recent = RecentArrays(2**23)


@dataclass(frozen=True)
class Match:
    """A latent of another SAE, beside one of ours."""

    ref: LatentRef  # its number and automatic name; there is no page of it here
    tiles: tuple[Tile, ...]
    cosine: float  # of the two directions
    n_both: int  # pictures in which both are active
    jaccard: float  # that, over pictures in which at least one is


@dataclass(frozen=True)
class Counterparts:
    """What one other SAE has."""

    name: str  # of its store
    sae_fingerprint: str
    nearest: Match  # by direction
    standing: Standing  # of that cosine, among those of random directions
    sharing: Match | None  # the one that shares most pictures, which may be the same one; None: none shares any
    shared_standing: Standing | None  # of that Jaccard index, among random directions about as frequent


def counterparts(store: LatentStore, latent: int, others: Sequence[LatentStore]) -> tuple[Counterparts, ...]:
    """In each of the others that has a latent which is not dead."""
    found = (_counterpart(store, latent, other) for other in others)
    return tuple(one for one in found if one is not None)


def _counterpart(store: LatentStore, latent: int, other: LatentStore) -> Counterparts | None:
    theirs = alive(other)
    if not len(theirs):
        return None
    cosines = np.asarray(other.directions) @ np.asarray(store.directions)[latent]
    n_both, jaccard = _recent.get((store.version, other.version, latent), lambda: _shared(store, latent, other))
    nearest = int(theirs[cosines[theirs].argmax()])
    most = int(jaccard.argmax())

    def match(there: int) -> Match:
        ref, shown = _reference(other, there), _pictures(store, other, there)
        return Match(ref, shown, float(cosines[there]), int(n_both[there]), float(jaccard[there]))

    return Counterparts(
        name=other.manifest.name,
        sae_fingerprint=other.manifest.sae.fingerprint,
        nearest=match(nearest),
        standing=among_values(random_again(store, other), float(cosines[nearest])),
        sharing=match(most) if jaccard[most] > 0 else None,
        shared_standing=_among_as_frequent(store, other, latent, float(jaccard[most])),
    )


def _among_as_frequent(store: LatentStore, other: LatentStore, latent: int, jaccard: float) -> Standing | None:
    """None for a latent of few pictures, or where too few of them are as frequent: large galleries share more."""
    found, n_active = galleries_again(store, other), store.gallery_size(latent)
    if found is None or n_active < MIN_PICTURES:
        return None
    shares = found.sizes / min(store.n_images, N_IMAGES)
    apart = np.abs(np.log(shares * store.n_images / n_active))
    near = np.argsort(apart, kind="stable")[: min(_AROUND, np.count_nonzero(apart <= np.log(ALIKE)))]
    return None if len(near) < LEAST else among_values(found.random[near], jaccard)


def _shared(store: LatentStore, latent: int, other: LatentStore) -> tuple[np.ndarray, np.ndarray]:
    """Pictures that each latent of the other SAE shares with one of ours, and the Jaccard index."""
    ids = np.sort(gallery_ids(store, latent))  # the file's order
    n_both = np.zeros(other.n_latents, np.int64)
    for start in range(0, len(ids), _TOGETHER):
        latents, activations = other.codes(ids[start : start + _TOGETHER])
        n_both += np.bincount(latents[activations > 0], minlength=other.n_latents)
    sizes = other.latents["n_active"].to_numpy()
    n_both[sizes == 0] = 0  # withheld
    return n_both, n_both / np.maximum(len(ids) + sizes - n_both, 1)


def _reference(other: LatentStore, latent: int) -> LatentRef:
    """By its automatic name: what people call latents here is said of other latents."""
    name, density = automatic_name(other, latent), float(other.latents["density"].to_numpy()[latent])
    return LatentRef(latent, name.text, density, name.hint, by_clip=name.by_clip)


def _pictures(store: LatentStore, other: LatentStore, latent: int) -> tuple[Tile, ...]:
    """Its strongest pictures, which are this store's, too."""
    return tiles(store, other.gallery(latent, 0, _N_TILES).image_ids.tolist())
