"""The baseline of label purity: galleries whose pictures are drawn at random."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from explorer.recent import RecentArrays
from sae_core import LatentStore

_SIZES = 40  # that are drawn
_DRAWS, _CELLS = (16, 1_000), 2**18  # galleries of each size; fewer where labels are many, whose counts they hold
_recent = RecentArrays(4 << 20)


def random_purity(store: LatentStore) -> float:
    """Mean label purity of galleries of the latents' sizes whose pictures are drawn at random; NaN without labels."""
    found = random_purities(store)
    known = np.isfinite(found)
    return float(found[known].mean()) if known.any() else float("nan")


def random_purities(store: LatentStore) -> Float[np.ndarray, "n_latents"]:
    """Mean label purity of random galleries as large as each latent's; NaN for the dead, and without labels.

    Drawn for some sizes, and read off between them: purity falls smoothly, from 1 in galleries of one picture. Once a
    store: with a thousand labels it takes two seconds.
    """
    (found,) = _recent.get((str(store.path), store.version), lambda: (_purities(store),))
    return found


def _purities(store: LatentStore) -> Float[np.ndarray, "n_latents"]:
    sizes, counts = store.latents["n_active"].to_numpy(), np.asarray(store.labels.counts)
    found = np.full(len(sizes), np.nan)
    if not sizes.any() or not counts.sum():
        return found
    labelled = counts.sum() / store.n_images  # purity is a share of the labelled pictures
    sizes = np.where(sizes > 0, np.maximum(np.rint(sizes * labelled), 1), np.nan)
    grid = np.unique(np.rint(np.geomspace(1, np.nanmax(sizes), _SIZES)).astype(int))
    rng = np.random.default_rng(0)
    n_draws = int(np.clip(_CELLS // len(counts), *_DRAWS))
    # No picture comes twice: of a small store's pictures a large gallery has most, and its labels as they are.
    means = [(rng.multivariate_hypergeometric(counts, size, n_draws).max(1) / size).mean() for size in grid]
    found[:] = np.interp(np.log(sizes), np.log(grid), means)
    return found
