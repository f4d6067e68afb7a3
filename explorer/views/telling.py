"""Latents in the order in which they tell the pictures of a label from all others.

Of n pictures a latent is active in a, l carry the label, and b are both: phi = (n b - a l) / sqrt(a (n - a) l (n - l)),
the correlation of the two yes-or-no columns. 1: the same pictures; 0: as by chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from explorer.directions import isolated
from explorer.recent import RecentArrays
from explorer.views.rankings import Ranking
from explorer.views.selection import label_code
from explorer.wording import figure, plural
from sae_core import LatentStore
from sae_core.errors import SparsightError

N_DRAWS = 100  # labels that say nothing
_recent = RecentArrays(2**16)  # one figure for each number of pictures


@dataclass(frozen=True, eq=False)
class Telling:
    """How well being active in a picture tells that it has a label."""

    title: str  # the label's
    n_pictures: int  # that carry it and are shown; withheld ones count among the rest, or one's code could be told
    n_both: Int64[np.ndarray, "n_latents"]  # of these, in how many each latent is active
    scores: Float64[np.ndarray, "n_latents"]  # phi; NaN where there is none
    by_chance: float  # what the best latent reaches for one in twenty labels that say nothing


def telling(store: LatentStore, label: str) -> Telling:
    """That of all latents. Raises SparsightError where no picture that is shown has the label."""
    code = label_code(store, label)
    ids = store.images_of_label(code) if code is not None else np.array([], np.int64)
    ids = ids[store.shown(ids)]
    if code is None or not len(ids):
        raise SparsightError(f"no picture carries the label “{isolated(label)}”")
    n_both, n_active = _together(store, ids), store.latents["n_active"].to_numpy().astype(np.int64)
    key = (store.version, len(ids))
    ((chance,),) = _recent.get(key, lambda: (np.array([_by_chance(store, n_active, len(ids))]),))
    scores = phi(n_both, n_active, len(ids), store.n_images)
    return Telling(store.labels.titles[code], len(ids), n_both, scores, float(chance))


def telling_ranking(store: LatentStore, label: str) -> Ranking:
    """All latents by phi. Raises SparsightError where no picture that is shown has the label."""
    found = telling(store, label)
    return Ranking(
        title=f"Which tell “{isolated(found.title)}” from the rest",
        explanation="Compared: the pictures in which each latent is active with the "
        f"{plural(found.n_pictures, 'picture')} of that label (φ, their correlation: 1 the same pictures, 0 chance). "
        "For as many pictures drawn at random, one in twenty times the best latent has more than "
        f"{figure(found.by_chance, 2)}.",
        score_name="φ",
        scores=found.scores,
        digits=2,
    )


def phi(
    n_both: Int64[np.ndarray, "*m"], n_active: Int64[np.ndarray, "*m"], n_label: int, n_images: int
) -> Float64[np.ndarray, "*m"]:
    """The correlation of being active and having the label; NaN where either is so of no picture or of all."""
    spread = np.sqrt(n_active * (n_images - n_active) * float(n_label) * (n_images - n_label))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (float(n_images) * n_both - n_active * float(n_label)) / spread, np.nan)


def _together(store: LatentStore, image_ids: Int64[np.ndarray, "m"]) -> Int64[np.ndarray, "n_latents"]:
    """In how many of these pictures each latent is active."""
    latents, activations = store.codes(image_ids)
    return np.bincount(latents[activations > 0], minlength=store.n_latents)


def _by_chance(store: LatentStore, n_active: Int64[np.ndarray, "n_latents"], n_label: int) -> float:
    """What the best latent reaches for one in twenty labels that say nothing, as if latents were independent."""
    n, rng = store.n_images, np.random.default_rng(0)
    drawn = rng.hypergeometric(n_active, n - n_active, n_label, size=(N_DRAWS, len(n_active)))
    scores = phi(drawn, n_active[None], n_label, n)
    best = np.nanmax(scores, axis=1) if np.isfinite(scores).any() else np.zeros(1)
    return float(np.quantile(best, 0.95))
