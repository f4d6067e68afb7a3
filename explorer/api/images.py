"""Images: their codes and neighbours, and which of them activate latents together."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, HTTPException, Query

from explorer import links
from explorer.api.answers import ActiveLatent, ImageAnswer, MatchesAnswer, SimilarImage
from explorer.api.latents import Count, Start, listed, naming
from explorer.stores import current_store
from explorer.views.names import display_name
from explorer.views.pictures_query import MAX_LATENTS
from sae_core import LatentStore
from sae_core.store.records import SparseCode

router = APIRouter(tags=["images"])
Latents = Annotated[list[int], Query(max_length=MAX_LATENTS)]


@router.get("/images/{image}")
def image(image: int) -> ImageAnswer:
    """One image and its sparse code, strongest first."""
    store = current_store()
    store.check_shown(image)
    record = store.image(image)
    return ImageAnswer(
        image=image,
        source_key=record.source_key,
        label=record.label,
        caption=record.caption,
        width=record.width,
        height=record.height,
        thumbnail=links.thumbnail_url(store.version, image) if store.has_thumbnails else None,
        code=code_answer(store, store.code(image)),
    )


@router.get("/images/{image}/nearest")
def nearest(image: int, count: Annotated[int, Query(ge=1, le=100)] = 12) -> list[SimilarImage]:
    """Other images with the most similar embeddings."""
    store = current_store()
    return similar_images(store, store.embedding(image), count + 1, without=image)[:count]


@router.get("/images")
def images(
    all_of: Latents = [],  # noqa: B006 (FastAPI copies it)
    any_of: Latents = [],  # noqa: B006
    none_of: Latents = [],  # noqa: B006
    start: Start = 0,
    count: Count = 50,
) -> MatchesAnswer:
    """Images in which all, at least one and none of these latents are active; strongest first."""
    if not all_of and not any_of:
        raise HTTPException(422, "name latents that are active: all_of or any_of")
    store = current_store()
    found, some = store.images_where(all_of, any_of, none_of), slice(start, start + count)
    images = listed(store, found.image_ids[some], found.strengths[some])
    return MatchesAnswer(n=len(found.image_ids), start=start, images=images)


def code_answer(store: LatentStore, code: SparseCode) -> list[ActiveLatent]:
    """A sparse code with names."""
    pairs = zip(code.latents.tolist(), code.activations.tolist(), strict=True)
    return [
        ActiveLatent(latent=latent, activation=activation, **naming(display_name(store, latent)))
        for latent, activation in pairs
    ]


def similar_images(store: LatentStore, embedding: np.ndarray, n: int, without: int | None = None) -> list[SimilarImage]:
    """The nearest images, one of them left out, and withheld ones: cosines with enough pictures tell an embedding."""
    found = store.nearest_images(embedding, n)
    pairs = zip(found.ids.tolist(), found.similarities.tolist(), strict=True)
    return [
        SimilarImage(image=i, id=i, cosine=cosine) for i, cosine in pairs if i != without and not store.is_hidden(i)
    ]
