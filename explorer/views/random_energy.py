"""What the strongest directions of random pictures hold of them: whether chosen ones are special."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from explorer.views.resolved import Resolved
from explorer.views.sides import ranked
from sae_core import LatentStore
from sae_core.spans import cumulative_energy, cumulative_energy_each

N_SETS = 32
N_ALONE = 256  # pictures that one picture is compared with


def random_sets(
    store: LatentStore, resolved: Resolved, mean: Float64[np.ndarray, "d_embed"], m: int, seed: int
) -> Float64[np.ndarray, "n_sets m"]:
    """For N_SETS random sets as large as the choice: median energies in the span of latents chosen in the same way.

    Where latents were chosen, theirs; otherwise the m strongest of each set, by mean activation. Fewer directions than
    m hold what the last of them holds.
    """
    rng, n = np.random.default_rng([seed, 1]), min(len(resolved.embeddings), store.n_images)
    found = np.zeros((N_SETS, m))
    for row in found:
        ids = np.sort(rng.choice(store.n_images, n, replace=False))
        latents = np.array(resolved.latents or ranked(*store.codes(ids))[:m], dtype=np.int64)
        x = store.embeddings(ids).astype(np.float64) - mean
        held = np.median(cumulative_energy(x, store.directions[latents]), axis=0)
        row[: len(held)], row[len(held) :] = held, held[-1] if len(held) else 0
    return found


def random_alone(
    store: LatentStore, mean: Float64[np.ndarray, "d_embed"], seed: int
) -> Float64[np.ndarray, "n_pictures k"]:
    """Energies of random pictures in the span of each one's own strongest directions."""
    n = min(N_ALONE, store.n_images)
    ids = np.sort(np.random.default_rng([seed, 1]).choice(store.n_images, n, replace=False))
    indices, activations = store.codes(ids)
    own = np.where((activations > 0)[:, :, None], store.directions[indices], 0)
    return cumulative_energy_each(store.embeddings(ids).astype(np.float64) - mean, own)
