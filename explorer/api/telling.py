"""Latents that tell the pictures of a label from all others."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from explorer.api.answers import TellingAnswer, TellingLatent
from explorer.api.latents import MAX_ROWS, naming
from explorer.stores import current_store
from explorer.views.names import display_name
from explorer.views.telling import Telling, telling
from sae_core import LatentStore

router = APIRouter(tags=["latents"])


@router.get("/telling")
def latents_telling(
    label: Annotated[str, Query(min_length=1, max_length=300)],
    count: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 20,
) -> TellingAnswer:
    """Latents by phi, the correlation of being active in a picture and its having the label; best first."""
    store = current_store()
    found = telling(store, label)
    best = np.argsort(-np.nan_to_num(found.scores, nan=-2), kind="stable")[:count].tolist()
    return TellingAnswer(
        label=found.title,
        n_images=found.n_pictures,
        phi_by_chance=found.by_chance,
        latents=[_answer(store, found, latent) for latent in best if np.isfinite(found.scores[latent])],
    )


def _answer(store: LatentStore, found: Telling, latent: int) -> TellingLatent:
    n_active: Any = store.latents.at[latent, "n_active"]
    return TellingLatent(
        latent=latent,
        phi=float(found.scores[latent]),
        n_both=int(found.n_both[latent]),
        n_active=int(n_active),
        **naming(display_name(store, latent)),
    )
