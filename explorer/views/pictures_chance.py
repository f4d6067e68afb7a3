"""How many pictures would match if latents were active independently."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from explorer.views.pictures_found import said_mask
from explorer.views.pictures_query import PicturesQuery
from sae_core import LatentStore


@dataclass(frozen=True)
class Chance:
    """The baseline of a count."""

    n: float  # pictures that would match
    n_said: int | None  # of so many that words and label find; None where neither is asked: of all


def by_chance(store: LatentStore, query: PicturesQuery) -> Chance | None:
    """None where nothing can depend on anything: one latent alone, or none."""
    said = bool(query.q or query.label)
    if not query.latents or (len(query.latents) == 1 and not said):
        return None
    n_said = int(said_mask(store, query).sum()) if said else None
    return Chance(share(store, query) * (store.n_images if n_said is None else n_said), n_said)


def share(store: LatentStore, query: PicturesQuery) -> float:
    """Share of pictures in which the latents would be so, each as often active as it is: the product rule."""
    density = store.latents["density"]
    found = prod(float(density[latent]) for latent in query.all_of)
    found *= prod(1 - float(density[latent]) for latent in query.none_of)
    if query.any_of and not {*query.any_of} & {*query.all_of}:
        found *= 1 - prod(1 - float(density[latent]) for latent in query.any_of)
    return found
