"""What the strongest directions of random pictures hold of them: whether chosen ones are special."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float64

from explorer.recent import RecentArrays
from explorer.views.sides import ranked
from sae_core import LatentStore
from sae_core.equal_density import random_of_equal_density
from sae_core.spans import cumulative_energy, cumulative_energy_each

N_SETS = 32
N_ALONE = 256  # pictures that one picture is compared with
_recent = RecentArrays(2**20)  # they are the same for every choice of as many pictures


def random_sets(
    store: LatentStore, n: int, m: int, mean: Float64[np.ndarray, "d_embed"], seed: int
) -> Float64[np.ndarray, "n_sets m"]:
    """For N_SETS random sets of n pictures: median energies in the span of each set's m strongest latents.

    Strongest by mean activation, as for a choice. Fewer latents than m hold what the last of them holds.
    """
    n = min(n, store.n_images)

    def compute() -> np.ndarray:
        rng = np.random.default_rng([seed, 1])
        return _of_sets(store, (rng.choice(store.n_images, n, replace=False) for _ in range(N_SETS)), m, mean)

    return _kept(store, ("sets", n, m, seed), mean, compute)


def random_neighbourhoods(
    store: LatentStore, n: int, m: int, mean: Float64[np.ndarray, "d_embed"], seed: int
) -> Float64[np.ndarray, "n_sets m"]:
    """The same of the n pictures nearest to each of N_SETS random ones: any neighbourhood is compact."""

    def compute() -> np.ndarray:
        rng = np.random.default_rng([seed, 2])
        centres = rng.choice(store.n_images, min(N_SETS, store.n_images), replace=False)
        near = (found.ids for found in store.nearest_images_of_each(store.embeddings(np.sort(centres)), n))
        return _of_sets(store, near, m, mean)

    return _kept(store, ("neighbourhoods", n, m, seed), mean, compute)


def _kept(
    store: LatentStore, asked: tuple[str | int, ...], mean: np.ndarray, compute: Callable[[], np.ndarray]
) -> np.ndarray:
    key = (str(store.path), store.version, *asked, mean.tobytes())
    return _recent.get(key, lambda: (compute(),))[0]


def _of_sets(
    store: LatentStore, sets: Iterable[np.ndarray], m: int, mean: Float64[np.ndarray, "d_embed"]
) -> Float64[np.ndarray, "n_sets m"]:
    found = []
    for ids in map(np.sort, sets):
        row = np.zeros(m)
        held = _held(store, ids, np.array(ranked(*store.codes(ids))[:m], dtype=np.int64), mean)
        row[: len(held)], row[len(held) :] = held, held[-1] if len(held) else 0
        found.append(row)
    return np.array(found)


def random_latents(
    store: LatentStore, latents: np.ndarray, n: int, mean: Float64[np.ndarray, "d_embed"], seed: int
) -> Float64[np.ndarray, "n_draws m"]:
    """For N_SETS draws of other latents of equal density: median energies of their n strongest pictures in their span.

    Chosen latents hold much of their own pictures, since these were chosen by them; so do others of theirs. Empty where
    the store has no other living latents.
    """
    drawn = random_of_equal_density(store.latents["density"].to_numpy(), latents, N_SETS, seed=seed)
    return np.array([_held(store, _strongest(store, row.tolist(), n), row, mean) for row in drawn if len(row)])


def _strongest(store: LatentStore, latents: list[int], n: int) -> np.ndarray:
    return store.images_where(any_of=latents).image_ids[:n]


def _held(store: LatentStore, ids: np.ndarray, latents: np.ndarray, mean: np.ndarray) -> Float64[np.ndarray, "m"]:
    x = store.embeddings(ids).astype(np.float64) - mean
    return np.asarray(np.median(cumulative_energy(x, store.directions[latents]), axis=0))


def random_alone(
    store: LatentStore, mean: Float64[np.ndarray, "d_embed"], seed: int
) -> Float64[np.ndarray, "n_pictures k"]:
    """Energies of random pictures in the span of each one's own strongest directions."""

    def compute() -> np.ndarray:
        n = min(N_ALONE, store.n_images)
        ids = np.sort(np.random.default_rng([seed, 1]).choice(store.n_images, n, replace=False))
        indices, activations = store.codes(ids)
        own = np.where((activations > 0)[:, :, None], store.directions[indices], 0)
        return cumulative_energy_each(store.embeddings(ids).astype(np.float64) - mean, own)

    return _kept(store, ("alone", seed), mean, compute)
