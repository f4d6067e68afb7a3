"""Which pictures a query finds, in what order; the pages and the API ask here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool

from explorer.recent import RecentArrays
from explorer.views.chance import EmbedTexts
from explorer.views.pictures_meaning import Meaning, build_meaning
from explorer.views.pictures_query import PicturesQuery
from explorer.views.selection import label_code
from sae_core import LatentStore
from sae_core.errors import SparsightError
from sae_core.store.records import Matches

_recent = RecentArrays(32 * 2**20)


@dataclass(frozen=True, eq=False)
class Found:
    """Pictures in order: the nearest in meaning first, without a text the strongest, without latents as stored."""

    n: int  # pictures that match
    image_ids: np.ndarray  # those of them that can be shown: with a text, the nearest
    figures: np.ndarray | None  # of each; None where nothing orders them
    figure_name: Literal["strength", "cosine", ""]
    meaning: Meaning | None = None
    problem: str | None = None  # a sentence: why the text could not order them


NOTHING = Found(0, np.zeros(0, np.int64), None, "")


def find(store: LatentStore, query: PicturesQuery, embed_texts: EmbedTexts | None) -> Found:
    """All conditions hold for what is found. Where the text cannot be encoded, the rest still answers."""
    match = matches(store, query) if query.narrows else None
    if not query.text:
        return _as_they_are(query, match)
    try:
        meaning = build_meaning(store, query.text, None if match is None else match.image_ids, embed_texts)
    except SparsightError as error:
        found = _as_they_are(query, match) if query.saying(text="").names_pictures else NOTHING
        return Found(found.n, found.image_ids, found.figures, found.figure_name, problem=_impossible(error))
    n = store.n_images - store.hidden.n_pictures if match is None else len(match.image_ids)
    return Found(n, meaning.image_ids, meaning.cosines, "cosine", meaning)


def matches(store: LatentStore, query: PicturesQuery) -> Matches:
    """What latents, words and label find; kept for the next page of it. Strengths are NaN where no latent is asked for.

    Where anything but latents is asked, withheld pictures are left out: words and cosines could say what they show.
    """
    key = (store.version, query.all_of, query.any_of, query.none_of, query.q, query.label, bool(query.text))
    return Matches(*_recent.get(key, lambda: _matches(store, query)))


def said_mask(store: LatentStore, query: PicturesQuery) -> Bool[np.ndarray, "n_images"]:
    """Which pictures words and label find, whatever is active; where neither is asked, all that are not withheld."""
    (mask,) = _recent.get((store.version, "said", query.q, query.label), lambda: (_said_mask(store, query),))
    return mask


def _matches(store: LatentStore, query: PicturesQuery) -> Matches:
    if query.active:
        found = store.images_where(query.all_of, query.any_of, query.none_of)
        if not query.q and not query.label and not query.text:
            return found
        kept = said_mask(store, query)[found.image_ids]
        return Matches(found.image_ids[kept], found.strengths[kept])
    mask = said_mask(store, query).copy()
    for latent in query.none_of:
        mask[store.gallery(latent).image_ids] = False
    ids = np.flatnonzero(mask)
    return Matches(ids, np.full(len(ids), np.nan, dtype=np.float32))


def _said_mask(store: LatentStore, query: PicturesQuery) -> Bool[np.ndarray, "n_images"]:
    if not query.label:
        return store.images_saying(query.q)
    code = label_code(store, query.label)
    return store.images_saying(query.q, -2 if code is None else code)  # -1 is no label


def _as_they_are(query: PicturesQuery, match: Matches | None) -> Found:
    if match is None:
        return NOTHING
    strengths = match.strengths if query.active else None
    return Found(len(match.image_ids), match.image_ids, strengths, "strength" if query.active else "")


def _impossible(error: SparsightError) -> str:
    return f"Searching by meaning is not possible: {error}."
