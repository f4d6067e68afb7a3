"""Whether another SAE on the same pictures finds the latents of this one: by direction, and by pictures.

What an SAE finds depends on its seed, too (Paulo & Belrose 2025). Both measures stand beside what random directions
with the pictures' covariance reach in the same other SAE: some are near to any direction through the data.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from explorer.recent import RecentArrays
from explorer.views.nearest_directions import drawn_rows, random_dictionaries
from explorer.views.striking import MIN_PICTURES
from sae_core import LatentStore

_CELLS = 2**25  # cosines that are computed: of all latents up to 5,792, beyond of as many as fit
_RANDOM_CELLS = 2**22  # the same of random directions, of which only the distribution is needed
_TOGETHER = 2**22  # cosines in memory at once: 16 MiB
_N_GALLERIES = 256  # latents whose pictures are compared, and random directions
N_IMAGES = 2**16  # in which they are compared: all, or so many spread over the store
_ROWS = 2**14  # embeddings in memory at once
_recent = RecentArrays(2**23)


class Directions(NamedTuple):
    """Latents that are not dead, all or as many as were drawn, beside another SAE's."""

    latents: Int64[np.ndarray, "m"]  # that were asked, rising
    nearest: Int64[np.ndarray, "m"]  # the other SAE's latent with the highest cosine
    cosines: Float32[np.ndarray, "m"]
    random: Float32[np.ndarray, "m_random"]  # of random directions with the embeddings' covariance


class Galleries(NamedTuple):
    """The largest Jaccard index of a gallery with one of another SAE: of latents, and of random directions."""

    latents: Int64[np.ndarray, "m"]  # drawn among those of MIN_PICTURES or more in the compared images, rising
    sizes: Int64[np.ndarray, "m"]  # how many of the compared images each has
    jaccard: Float32[np.ndarray, "m"]
    random: Float32[np.ndarray, "m"]  # of as many random directions, by their strongest images, as many as each has


def directions_again(store: LatentStore, other: LatentStore) -> Directions | None:
    """None where either has no latent that is not dead. The same draws every time."""
    ours, theirs = alive(store), alive(other)
    if not len(ours) or not len(theirs):
        return None

    def computed() -> tuple[np.ndarray, ...]:
        asked = ours[drawn_rows(len(ours), _CELLS)]
        nearest, cosines = _nearest(np.asarray(store.directions)[asked], np.asarray(other.directions)[theirs])
        return asked, theirs[nearest], cosines

    asked, nearest, cosines = _recent.get(("directions", store.version, other.version), computed)
    return Directions(asked, nearest, cosines, random_again(store, other))


def random_again(store: LatentStore, other: LatentStore) -> Float32[np.ndarray, "m_random"]:
    """The highest cosine with a direction of the other SAE, of random ones with the embeddings' covariance.

    Of the other's latents one must not be dead.
    """
    theirs = alive(other)

    def computed() -> tuple[np.ndarray, ...]:
        drawn = random_dictionaries(store, min(len(theirs), max(_RANDOM_CELLS // len(theirs), 1)))[0]
        return (_nearest(drawn, np.asarray(other.directions)[theirs])[1],)

    return _recent.get(("random", store.version, other.version), computed)[0]


def galleries_again(store: LatentStore, other: LatentStore) -> Galleries | None:
    """None where no latent has enough pictures. The same draws every time."""
    found = Galleries(*_recent.get(("galleries", store.version, other.version), lambda: _galleries(store, other)))
    return found if len(found.latents) else None


def _galleries(store: LatentStore, other: LatentStore) -> tuple[np.ndarray, ...]:
    images = np.unique(np.linspace(0, store.n_images - 1, min(store.n_images, N_IMAGES)).astype(np.int64))
    here, there = _Active(store, images), _Active(other, images)
    shown = store.latents["n_active"].to_numpy() > 0  # the withheld look dead
    enough = np.flatnonzero(shown & (here.sizes >= MIN_PICTURES))
    n = min(_N_GALLERIES, len(enough))
    latents = np.sort(np.random.default_rng(0).choice(enough, n, replace=False))
    ours = [here.rows(int(latent)) for latent in latents]
    sizes = here.sizes[latents]
    drawn = _strongest(store, images, random_dictionaries(store, n)[0], sizes.tolist())
    found, random = (np.array([there.jaccard(rows).max() for rows in each], dtype=np.float32) for each in (ours, drawn))
    return latents, sizes, found, random


def alive(store: LatentStore) -> Int64[np.ndarray, "m"]:
    """Latents that are active in some picture."""
    return np.flatnonzero(store.latents["n_active"].to_numpy() > 0)


def gallery_ids(store: LatentStore, latent: int) -> Int64[np.ndarray, "m"]:
    """All pictures of a latent, strongest first."""
    return store.gallery(latent, 0, store.gallery_size(latent)).image_ids


class _Active:
    """Which latents of a store are active in some of its images."""

    def __init__(self, store: LatentStore, image_ids: Int64[np.ndarray, "n"]) -> None:
        latents, activations = store.codes(image_ids)
        self._latents = np.where(activations > 0, latents, store.n_latents)  # one more, for what is not active
        self._n = store.n_latents
        self.sizes = self._counts(self._latents)

    def rows(self, latent: int) -> Int64[np.ndarray, "m"]:
        """Of those images the ones in which a latent is active, by their places."""
        return np.flatnonzero((self._latents == latent).any(1))

    def jaccard(self, rows: Int64[np.ndarray, "m"]) -> np.ndarray:
        """Of these images with those of each latent `[n_latents]`; 0 where both have none."""
        n_both = self._counts(self._latents[rows])
        shares: np.ndarray = n_both / np.maximum(len(rows) + self.sizes - n_both, 1)
        return shares

    def _counts(self, latents: np.ndarray) -> np.ndarray:
        n_active: np.ndarray = np.bincount(latents.ravel(), minlength=self._n + 1)[: self._n]
        return n_active


def _strongest(
    store: LatentStore,
    image_ids: Int64[np.ndarray, "n"],
    directions: Float32[np.ndarray, "m d_embed"],
    sizes: list[int],
) -> list[Int64[np.ndarray, "size"]]:
    """Of each direction the rows whose embeddings lie farthest along it, as many as its size says."""
    along = np.empty((len(directions), len(image_ids)), np.float32)
    for start in range(0, len(image_ids), _ROWS):
        rows = image_ids[start : start + _ROWS]
        along[:, start : start + len(rows)] = directions @ store.embeddings(rows).T
    pairs = zip(along, sizes, strict=True)
    return [np.argpartition(-one, size - 1)[:size] if size else np.empty(0, np.int64) for one, size in pairs]


def _nearest(
    rows: Float32[np.ndarray, "m d_embed"], others: Float32[np.ndarray, "n d_embed"]
) -> tuple[Int64[np.ndarray, "m"], Float32[np.ndarray, "m"]]:
    """Which of the others has the highest cosine with each row, ties by number; and that cosine. All are unit rows."""
    nearest, cosines = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.float32)
    step = max(_TOGETHER // len(others), 1)
    for start in range(0, len(rows), step):
        found = rows[start : start + step] @ others.T
        best = found.argmax(1)
        nearest[start : start + step], cosines[start : start + step] = best, found[np.arange(len(found)), best]
    return nearest, cosines
