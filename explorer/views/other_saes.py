"""How many of this SAE's latents other SAEs find again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from explorer import links
from explorer.beside import Beside
from explorer.definitions import DEFINITIONS
from explorer.views.distributions import Distribution, Extreme, Outline, extremes, linear_bins
from explorer.views.found_again import N_IMAGES, Directions, Galleries, directions_again, galleries_again
from explorer.views.striking import MIN_PICTURES
from explorer.wording import figure, percent, plural
from sae_core import LatentStore

FOUND = 0.9  # cosine of two directions that say the same
HALF = 0.5  # Jaccard index of two galleries that share more pictures than they do not


@dataclass(frozen=True)
class OtherSAE:
    """One other SAE."""

    chart: Distribution  # of directions
    href: str  # all latents by how near they come
    by_pictures: str  # the answer by pictures, in a sentence; empty where no latent has enough
    best: tuple[Extreme, ...]  # by pictures
    least: tuple[Extreme, ...]


def other_saes(store: LatentStore, beside: Beside) -> tuple[OtherSAE, ...]:
    """In the order in which they are named; those that share nothing to compare are left out."""
    found = (_other(store, other, rank) for rank, other in enumerate(beside.stores))
    return tuple(one for one in found if one is not None)


def _other(store: LatentStore, other: LatentStore, rank: int) -> OtherSAE | None:
    directions, galleries = directions_again(store, other), galleries_again(store, other)
    if directions is None:
        return None
    chart = _chart(directions, other, rank)
    href = links.found_again_url(other.manifest.sae.fingerprint)
    if galleries is None:
        return OtherSAE(chart, href, "", (), ())
    best, least = extremes(store, pd.Series(galleries.jaccard, index=galleries.latents), percent)
    return OtherSAE(chart, href, _by_pictures(galleries, store.n_images), best, least)


def _chart(found: Directions, other: LatentStore, rank: int) -> Distribution:
    values, baseline = pd.Series(found.cosines), float(np.median(found.random))
    edges, counts = linear_bins(values, min(0.0, float(np.floor(10 * values.min()) / 10)), 1.0)
    drawn = np.histogram(np.clip(found.random, edges[0], edges[-1]), bins=np.asarray(edges))[0]
    return Distribution(
        key=f"found_again_{rank + 1}",
        title=f"Does the SAE of “{other.manifest.name}” find the same latents?",
        summary=_summary(found, other),
        definition=DEFINITIONS["found_again"].format(n=plural(len(found.random), "random direction")),
        axis="cosine with the other SAE’s nearest direction",
        edges=edges,
        counts=counts,
        outlines=(Outline("covariance", tuple((drawn * len(values) / len(found.random)).tolist()), baseline),),
        log=False,
        baseline=baseline,
        baseline_words=f"random {figure(baseline)}",
        ends=("", ""),
        highest=(),
        lowest=(),
        sorted_url="",
    )


def _summary(found: Directions, other: LatentStore) -> str:
    close, random = ((values > FOUND).mean() for values in (found.cosines, found.random))
    return (
        f"Of {plural(len(found.latents), 'latent')} half have a direction of its {other.n_latents:,} at cosine "
        f"{figure(float(np.median(found.cosines)))} or more; of random directions with the pictures’ covariance half "
        f"have one at {figure(float(np.median(found.random)))}. Above {FOUND}: {percent(float(close))} of the latents, "
        f"{percent(float(random))} of the random directions."
    )


def _by_pictures(found: Galleries, n_images: int) -> str:
    within = f" among {plural(N_IMAGES, 'picture')} that are spread over the store" if n_images > N_IMAGES else ""
    ours, random = (float(np.median(values)) for values in (found.jaccard, found.random))
    half, by_chance = (float((values >= HALF).mean()) for values in (found.jaccard, found.random))
    compared = f"{plural(len(found.latents), 'latent')} of {MIN_PICTURES} pictures or more{within}"
    return (
        f"Of {compared} half share {percent(ours)} or more of their pictures with one of its latents (Jaccard index); "
        f"of random directions, by as many of their strongest pictures, {percent(random)}. Half or more: "
        f"{percent(half)} of the latents, {percent(by_chance)} of the random directions."
    )
