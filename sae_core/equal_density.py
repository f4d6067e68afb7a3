"""Random latents that are active as often as given ones: the fair baseline of what a span holds.

Common directions hold more of any embedding than rare ones, so that random latents of any density would be beaten for
the wrong reason.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, Int64

N_NEAREST = 64  # in rank of density, from which each latent's stand-in is drawn


def random_of_equal_density(
    density: Float[np.ndarray, "n_latents"], latents: Int[np.ndarray, "j"], n_draws: int, seed: int
) -> Int64[np.ndarray, "n_draws j"]:
    """For each of `latents` another one, drawn from the N_NEAREST others nearest in rank of density.

    None is dead, none is one of `latents`, none comes twice in a draw. Fewer columns where there are not enough.
    """
    density = np.asarray(density)
    others = np.flatnonzero(density > 0)
    others = others[~np.isin(others, latents)]
    others = others[np.argsort(density[others], kind="stable")]
    wanted = np.asarray(latents, dtype=np.int64)[: len(others)]
    places = np.searchsorted(density[others], density[wanted])
    rng = np.random.default_rng(seed)
    return (
        np.stack([_draw(rng, others, places) for _ in range(n_draws)]) if n_draws else np.zeros((0, len(wanted)), int)
    )


def _draw(rng: np.random.Generator, others: np.ndarray, places: np.ndarray) -> Int64[np.ndarray, "j"]:
    free = np.ones(len(others), dtype=bool)
    drawn = np.zeros(len(places), dtype=np.int64)
    for i, place in enumerate(places):
        left = np.flatnonzero(free)
        start = int(np.clip(np.searchsorted(left, place) - N_NEAREST // 2, 0, max(len(left) - N_NEAREST, 0)))
        chosen = rng.choice(left[start : start + N_NEAREST])
        free[chosen] = False
        drawn[i] = others[chosen]
    return drawn
