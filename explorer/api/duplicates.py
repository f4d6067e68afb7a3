"""How redundant the latents are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from explorer.api.duplicate_answers import AlikeLatents, DuplicatesAnswer
from explorer.stores import current_store
from explorer.views.duplicates import median
from explorer.views.latent_pairs import Pair, closest_pairs, overlapping_pairs
from explorer.views.nearest_directions import n_close, nearest_directions
from sae_core.errors import SparsightError

router = APIRouter(tags=["latents"])


@router.get("/duplicates")
def duplicates(count: Annotated[int, Query(ge=1, le=200)] = 20) -> DuplicatesAnswer:
    """Pairs of latents that are most alike: by direction, and by the pictures that they share; dead ones left out."""
    store = current_store()
    found = nearest_directions(store)
    if found is None:
        raise SparsightError("fewer than two latents are active in this store")
    return DuplicatesAnswer(
        n_asked=len(found.latents),
        n_close=n_close(found),
        nearest_cosine=median(found.cosines),
        nearest_cosine_covariance=median(found.covariance),
        nearest_cosine_isotropic=median(found.isotropic),
        closest=[_alike(pair) for pair in closest_pairs(store, found, count)],
        overlapping=[_alike(pair) for pair in overlapping_pairs(store, count)[0]],
    )


def _alike(pair: Pair) -> AlikeLatents:
    return AlikeLatents(
        latents=list(pair.latents),
        cosine=pair.cosine,
        n_both=pair.n_both,
        jaccard=pair.jaccard,
        jaccard_by_chance=pair.chance,
    )
