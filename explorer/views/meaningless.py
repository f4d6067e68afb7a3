"""What meaningless strings have with the other side of a comparison: the control of a side that words chose.

Every text has nearest pictures, which lie close together whatever it means; random ones do not, and are easily beaten.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

from explorer.recent import RecentArrays
from explorer.views.chance import EmbedTexts, strings
from explorer.views.resolved import Resolved, n_for_text
from explorer.views.sides import active_latents
from sae_core import LatentStore
from sae_core.errors import SparsightError

Letter = Literal["a", "b"]
_recent = RecentArrays(4 << 20)


class Usual(NamedTuple):
    """Of many values."""

    median: float
    high: float  # 95 % quantile


class Meaningless(NamedTuple):
    """The pictures nearest to each of many meaningless strings, in the place of one side, against the other side."""

    side: Letter  # whose place they take: words chose it
    cosine: Usual
    n_both: Usual  # latents active on both sides


def meaningless_texts(
    store: LatentStore,
    sides: tuple[Resolved, Resolved],
    beyond: tuple[np.ndarray, np.ndarray],
    common: Float64[np.ndarray, "d_embed"],
    embed_texts: EmbedTexts | None,
) -> tuple[Meaningless, ...]:
    """The control of each side that is words; none where the strings cannot be encoded now.

    `beyond`: both sides' mean embeddings less `common`, which is taken off the strings' as well.
    """
    asked: list[tuple[Letter, int]] = [("a", 1), ("b", 0)]
    asked = [one for one, side in zip(asked, sides, strict=True) if side.selection.kind == "text"]
    if not asked or embed_texts is None:
        return ()
    try:
        means, active = _of_strings(store, embed_texts)
    except SparsightError:  # the encoder is busy: the comparison itself stands
        return ()
    found = []
    for letter, other in asked:
        shared = active[:, active_latents(sides[other])].sum(1)
        found.append(Meaningless(letter, _usual(_cosines(means - common, beyond[other])), _usual(shared)))
    return tuple(found)


def _of_strings(
    store: LatentStore, embed_texts: EmbedTexts
) -> tuple[Float64[np.ndarray, "n d_embed"], Bool[np.ndarray, "n n_latents"]]:
    """Mean embedding, and which latents are active, of the pictures nearest to each string; once a store."""

    def compute() -> tuple[np.ndarray, ...]:
        means, active = [], np.zeros((len(strings()), store.n_latents), dtype=bool)
        found = store.nearest_images_of_each(np.stack(embed_texts(strings())), n_for_text(store))
        for row, (ids, _) in zip(active, found, strict=True):
            means.append(store.embeddings(ids).mean(0, dtype=np.float64))
            indices, activations = store.codes(ids)
            row[indices[activations > 0]] = True
        return np.array(means), np.packbits(active, axis=1)

    means, packed = _recent.get((str(store.path), store.version), compute)
    return means, np.unpackbits(packed, axis=1, count=store.n_latents).astype(bool)


def _cosines(rows: Float64[np.ndarray, "n d_embed"], y: np.ndarray) -> Float64[np.ndarray, "n"]:
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(y)
    cosines: np.ndarray = rows @ y / np.maximum(norms, 1e-12)
    return cosines


def _usual(values: np.ndarray) -> Usual:
    return Usual(*(float(np.quantile(values, share)) for share in (0.5, 0.95)))
