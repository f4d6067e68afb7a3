"""Pictures by a text's meaning: cosines of embeddings, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from jaxtyping import Float32, Float64

from explorer.recent import RecentArrays
from explorer.views.chance import Chance, EmbedTexts
from explorer.views.chance import strings as meaningless_strings
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
    best_z: float  # of the nearest of those asked for: standard deviations above that mean; NaN where there is none
    chance: Chance  # the same of texts that mean nothing, among the same pictures (beyond MEASURED: among all)
    searched: int | None = None  # only so many of the store's nearest pictures were looked through

    @property
    def stands_out(self) -> bool:
        """Whether the nearest picture is nearer than those of meaningless strings."""
        return not len(self.image_ids) or not self.best_z <= self.chance.high


def build_meaning(
    store: LatentStore, text: str, matching: np.ndarray | None, embed_texts: EmbedTexts | None
) -> Meaning:
    """The nearest of the matching pictures (None: of all). Raises SparsightError where the text cannot be encoded."""
    if embed_texts is None:
        raise SparsightError("there is no encoder here")
    embedding, *meaningless = embed_texts([text, *meaningless_strings()])
    (mean,), (spread,) = _spread(store, [embedding])
    if matching is None and store.hidden and store.n_images <= MEASURED:
        matching = np.flatnonzero(store.shown(np.arange(store.n_images)))  # what is withheld is no string's nearest
    many = matching is not None and len(matching) > MEASURED
    ids, cosines = _nearest(store, embedding, matching)
    best = float(cosines[0]) if len(ids) and spread > 0 else float("nan")
    return Meaning(
        image_ids=ids,
        cosines=cosines,
        mean=float(mean),
        best_z=(best - float(mean)) / float(spread or 1),
        chance=_chance(store, np.stack(meaningless), None if many else matching),
        searched=SEARCHED if many else None,
    )


def _nearest(store: LatentStore, embedding: np.ndarray, matching: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    if matching is not None and len(matching) <= MEASURED:
        cosines = np.concatenate([np.zeros(0, np.float32), *(rows @ embedding for rows in _rows(store, matching))])
        best = np.argsort(-cosines, kind="stable")[:MOST]
        return matching[best], cosines[best]
    found = store.nearest_images(embedding, SEARCHED)
    kept = store.shown(found.ids)
    if matching is not None:
        kept &= np.isin(found.ids, matching)
    return found.ids[kept][:MOST], found.similarities[kept][:MOST]


def _rows(store: LatentStore, image_ids: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(image_ids), _ROWS):
        yield store.embeddings(image_ids[start : start + _ROWS])


def _chance(store: LatentStore, strings: np.ndarray, matching: np.ndarray | None) -> Chance:
    """That of a store, or of some of its pictures, from the strings' embeddings: kept, since it may take a second."""
    some = b"" if matching is None else sha256(matching.tobytes()).digest()
    key = (str(store.path), store.version, strings[0].tobytes(), some)
    (found,) = _KEPT.get(key, lambda: (_best_z(store, strings, matching),))
    return Chance(*(float(np.quantile(found, share)) for share in (0.5, 0.95)))


def _best_z(
    store: LatentStore, embeddings: Float32[np.ndarray, "n d_embed"], matching: np.ndarray | None
) -> Float64[np.ndarray, "n"]:
    """Standard deviations between the nearest picture's cosine and the mean of all; NaN where there is none."""
    means, spreads = _spread(store, list(embeddings))
    if matching is None:
        best = [near.similarities[0] for near in store.nearest_images_of_each(embeddings, 1)]
    else:
        best = np.max([(rows @ embeddings.T).max(0) for rows in _rows(store, matching)] or [means + np.nan], axis=0)
    return np.asarray((np.asarray(best, dtype=np.float64) - means) / np.where(spreads > 0, spreads, np.nan))


def _spread(store: LatentStore, embeddings: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each text's cosines over all pictures, from the store's moments."""
    return store_scores(np.stack(embeddings), store.mean_embedding, store.moments.products.sum(0), store.n_images)
