"""Latents in the order in which another SAE beside the store finds them again."""

from __future__ import annotations

import numpy as np

from explorer.beside import Beside
from explorer.directions import isolated
from explorer.views.found_again import Directions, directions_again
from explorer.views.latents_query import LatentsQuery
from explorer.views.rankings import Ranking
from explorer.wording import figure, plural
from sae_core import LatentStore
from sae_core.errors import SparsightError


def ranking_again(store: LatentStore, query: LatentsQuery, beside: Beside) -> Ranking:
    """By the cosine of each direction with the other SAE's nearest one. Raises SparsightError where there is none."""
    other = _asked(query.again, beside)
    found = directions_again(store, other)
    if found is None:
        raise SparsightError(f"the SAE of “{other.manifest.name}”, or this one, has no latent that is active")
    scores = np.full(store.n_latents, np.nan, np.float32)
    scores[found.latents] = found.cosines
    name = isolated(other.manifest.name)
    return Ranking(
        title=f"{'Least' if query.least else 'Most'} found again by the SAE of “{name}”",
        explanation=_explained(found, store, other),
        score_name="cosine",
        scores=scores,
        turn=("most first" if query.least else "least first", query.turned().url()),
    )


def _asked(said: str, beside: Beside) -> LatentStore:
    """The store whose SAE has this fingerprint, or begins with it."""
    for other in beside.stores:
        if other.manifest.sae.fingerprint.startswith(said):
            return other
    raise SparsightError(f"no store beside this one has the SAE {said}; SPARSIGHT_BESIDE names such stores")


def _explained(found: Directions, store: LatentStore, other: LatentStore) -> str:
    n_alive = int((store.latents["n_active"] > 0).sum())
    some = "" if len(found.latents) == n_alive else f" ({plural(len(found.latents), 'latent')} that were drawn)"
    return (
        f"Compared: each latent’s direction{some} with the nearest of the other SAE’s {other.n_latents:,}. Of random "
        f"directions with the pictures’ covariance half have one at {figure(float(np.median(found.random)))} or more."
    )
