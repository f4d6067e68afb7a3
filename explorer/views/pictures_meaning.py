"""Pictures by a text's meaning: cosines of embeddings, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from explorer.recent import RecentArrays
from explorer.views.chance import Chance, EmbedTexts, strings
from sae_core import LatentStore
from sae_core.accounting import store_scores
from sae_core.errors import SparsightError

MOST = 480  # pictures that are shown, nearest first: ten pages
MEASURED = 65_536  # of so many matching pictures every cosine is measured: 134 MB of embeddings at width 512
SEARCHED = 2_048  # of more, those among the store's nearest so many are found
_ROWS = 8_192
_KEPT = RecentArrays(max_bytes=1 << 16)


@dataclass(frozen=True, eq=False)
class Meaning:
    """The pictures nearest to a text, and what cosines all pictures have with it."""

    image_ids: np.ndarray  # nearest first, MOST at most
    cosines: np.ndarray
    mean: float  # over all pictures of the store: the baseline
    best_z: float  # of the store's nearest picture: standard deviations above that mean
    chance: Chance  # the same of texts that mean nothing
    searched: int | None = None  # only so many of the store's nearest pictures were looked through

    @property
    def stands_out(self) -> bool:
        """Whether the store's nearest picture is nearer than those of meaningless strings."""
        return not self.best_z <= self.chance.high


def build_meaning(
    store: LatentStore, text: str, matching: np.ndarray | None, embed_texts: EmbedTexts | None
) -> Meaning:
    """The nearest of the matching pictures (None: of all). Raises SparsightError where the text cannot be encoded."""
    if embed_texts is None:
        raise SparsightError("there is no encoder here")
    embedding, *meaningless = embed_texts([text, *strings()])
    mean, _ = _spread(store, [embedding])
    many = matching is not None and len(matching) > MEASURED
    ids, cosines = _nearest(store, embedding, matching)
    return Meaning(
        image_ids=ids,
        cosines=cosines,
        mean=float(mean[0]),
        best_z=float(_best_z(store, [embedding])[0]),
        chance=_chance(store, meaningless),
        searched=SEARCHED if many else None,
    )


def _nearest(store: LatentStore, embedding: np.ndarray, matching: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    if matching is not None and len(matching) <= MEASURED:
        parts = [matching[start : start + _ROWS] for start in range(0, len(matching), _ROWS)]
        cosines = np.concatenate([np.zeros(0, np.float32), *(store.embeddings(part) @ embedding for part in parts)])
        best = np.argsort(-cosines, kind="stable")[:MOST]
        return matching[best], cosines[best]
    found = store.nearest_images(embedding, SEARCHED)
    kept = store.shown(found.ids)
    if matching is not None:
        kept &= np.isin(found.ids, matching)
    return found.ids[kept][:MOST], found.similarities[kept][:MOST]


def _chance(store: LatentStore, embeddings: Sequence[np.ndarray]) -> Chance:
    """That of a store, from the strings' embeddings: a search each, once."""
    key = (str(store.path), store.version, embeddings[0].tobytes())
    (found,) = _KEPT.get(key, lambda: (_best_z(store, embeddings),))
    return Chance(*(float(np.quantile(found, share)) for share in (0.5, 0.95)))


def _best_z(store: LatentStore, embeddings: Sequence[np.ndarray]) -> Float64[np.ndarray, "n"]:
    """Standard deviations between the nearest picture's cosine and the mean of all; NaN where all are equal."""
    means, spreads = _spread(store, embeddings)
    best = np.array([store.nearest_images(embedding, 1).similarities[0] for embedding in embeddings], dtype=np.float64)
    return np.asarray((best - means) / np.where(spreads > 0, spreads, np.nan))


def _spread(store: LatentStore, embeddings: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each text's cosines over all pictures, from the store's moments."""
    return store_scores(np.stack(embeddings), store.mean_embedding, store.moments.products.sum(0), store.n_images)
