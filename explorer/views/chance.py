"""What searching by meaning finds for texts that mean nothing: the control of every best match."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from explorer.recent import RecentArrays
from sae_core import LatentStore

Against = Literal["centroids", "directions"]
EmbedTexts = Callable[[Sequence[str]], Sequence[np.ndarray]]  # raises SparsightError where the encoder cannot be loaded
_N = 256  # with 40 the 95 % quantile was so uncertain that one in eight exceeded it
_KEPT = RecentArrays(max_bytes=1 << 16)


@dataclass(frozen=True)
class Chance:
    """Standard deviations above the mean of all latents that the best one has for meaningless strings of letters."""

    typical: float  # median
    high: float  # one in twenty has more


def strings() -> tuple[str, ...]:
    """Always the same ones, of four to nine small letters."""
    rng = random.Random(0)
    return tuple("".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 9))) for _ in range(_N))


def chance(store: LatentStore, against: Against, embeddings: Sequence[np.ndarray]) -> Chance:
    """That of a store, from the strings' embeddings; NaN where no latent has a score."""

    def compute() -> tuple[np.ndarray, ...]:
        return (np.array([best_z(store.text_scores(x, against)) for x in embeddings]),)

    key = (str(store.path), store.version, against, embeddings[0].tobytes())
    (found,) = _KEPT.get(key, compute)
    return Chance(*(float(np.quantile(found, share)) for share in (0.5, 0.95)))


def best_z(scores: Float[np.ndarray, "n_latents"]) -> float:
    """Standard deviations between the best score and the mean of those that are known; NaN without any."""
    known = scores[np.isfinite(scores)]
    if not len(known) or not known.std():
        return float("nan")
    return float((known.max() - known.mean()) / known.std())
