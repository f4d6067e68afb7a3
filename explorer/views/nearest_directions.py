"""How close the nearest other direction is: of latents, and of dictionaries of as many random directions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from explorer.recent import RecentArrays
from sae_core import LatentStore

DUPLICATE = 0.9  # cosine of two directions that say the same
_CELLS = 2**25  # cosines that are computed: of all pairs up to 5,792 latents, beyond of as many rows as fit
_RANDOM_CELLS = 2**24  # the same of a random dictionary, of which only the distribution is needed
_TOGETHER = 2**22  # cosines in memory at once: 16 MiB
_recent = RecentArrays(2**23)


class NearestDirections(NamedTuple):
    """Of latents that are not dead, all of them or as many as were drawn; and of random directions, as many in all."""

    latents: Int64[np.ndarray, "m"]  # that were asked, rising
    nearest: Int64[np.ndarray, "m"]  # the other latent with the highest cosine
    cosines: Float32[np.ndarray, "m"]
    covariance: Float32[np.ndarray, "m_covariance"]  # of random directions with the embeddings' covariance
    isotropic: Float32[np.ndarray, "m_isotropic"]


def nearest_directions(store: LatentStore) -> NearestDirections | None:
    """None where fewer than two latents are active in some picture. The same draws every time."""
    alive = np.flatnonzero(store.latents["n_active"].to_numpy() > 0)
    if len(alive) < 2:
        return None
    return NearestDirections(*_recent.get(store.version, lambda: _computed(store, alive)))


def n_close(found: NearestDirections) -> int:
    """How many of the latents that were asked have another one closer than DUPLICATE."""
    return int((found.cosines > DUPLICATE).sum())


def _computed(store: LatentStore, alive: np.ndarray) -> tuple[np.ndarray, ...]:
    n = len(alive)
    asked = drawn_rows(n, _CELLS)
    nearest, cosines = _nearest(np.asarray(store.directions)[alive], asked)
    random = [_nearest(rows, drawn_rows(n, _RANDOM_CELLS))[1] for rows in random_dictionaries(store, n)]
    return alive[asked], alive[nearest], cosines, *random


def drawn_rows(n: int, cells: int) -> Int64[np.ndarray, "m"]:
    """Rows of n, all or as many as `cells` allows, rising."""
    m = max(cells // n, 1)
    return np.arange(n) if m >= n else np.sort(np.random.default_rng(0).choice(n, m, replace=False))


def random_dictionaries(
    store: LatentStore, n: int
) -> tuple[Float32[np.ndarray, "n d_embed"], Float32[np.ndarray, "n d_embed"]]:
    """n random directions with the embeddings' covariance, as it is stored, and n isotropic ones; unit rows.

    They are drawn as the builder's controls are, and are the same every time.
    """
    mean = store.mean_embedding
    covariance = np.asarray(store.moments.products.sum(0)) / store.n_images - np.outer(mean, mean)
    lengths, axes = np.linalg.eigh(covariance)
    spread = (axes * np.sqrt(np.maximum(lengths, 0))).astype(np.float32)
    normal = np.random.default_rng(1).standard_normal((n, len(mean)), dtype=np.float32)
    return _made_unit(normal @ spread.T), _made_unit(normal)


def _nearest(
    directions: Float32[np.ndarray, "n d_embed"], asked: np.ndarray
) -> tuple[Int64[np.ndarray, "m"], Float32[np.ndarray, "m"]]:
    """The row with the highest cosine with each asked one, itself aside; ties by number."""
    nearest, cosines = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.float32)
    step = max(_TOGETHER // len(directions), 1)
    for start in range(0, len(asked), step):
        rows = asked[start : start + step]
        found = directions[rows] @ directions.T
        found[np.arange(len(rows)), rows] = -np.inf
        best = found.argmax(1)
        nearest[start : start + step], cosines[start : start + step] = best, found[np.arange(len(rows)), best]
    return nearest, cosines


def _made_unit(rows: Float32[np.ndarray, "n d_embed"]) -> Float32[np.ndarray, "n d_embed"]:
    """In place: of 65,536 there are 134 MB."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    rows /= np.where(lengths > 0, lengths, 1)
    return rows
