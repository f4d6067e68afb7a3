"""Images: their codes and neighbours, and which of them are found by latents, words, label and meaning."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import numpy as np
from fastapi import APIRouter, HTTPException, Query
from pydantic import AfterValidator, BeforeValidator

from explorer import links
from explorer.api.answers import ActiveLatent
from explorer.api.image_answers import ImageAnswer, SimilarImage
from explorer.api.latents import Count, Start, naming
from explorer.api.match_answers import Match, MatchesAnswer, TextControl
from explorer.api.queue import admitted, search_control
from explorer.models import embed_texts
from explorer.stores import current_store
from explorer.views.cells import number_or_none
from explorer.views.latents_query import MAX_TEXT, MAX_WORDS
from explorer.views.names import display_name
from explorer.views.pictures_chance import by_chance
from explorer.views.pictures_found import Found, find
from explorer.views.pictures_meaning import Meaning
from explorer.views.pictures_problems import problem_of
from explorer.views.pictures_query import MAX_LATENTS, PicturesQuery
from sae_core import LatentStore
from sae_core.store.records import SparseCode

router = APIRouter(tags=["images"])


def _parted(said: object) -> object:
    """Each value may be several, as the pages write them: `12,340`."""
    if not isinstance(said, list):
        return said
    parts = (str(value).split(",") for value in said)
    return [part.strip() for some in parts for part in some if part.strip()]


def _each_once(latents: list[int]) -> list[int]:
    """By chance a latent that is named twice would be two."""
    return list(dict.fromkeys(latents))


Latents = Annotated[
    list[int],
    BeforeValidator(_parted),
    AfterValidator(_each_once),
    Query(max_length=MAX_LATENTS, description="repeated, or with commas between the numbers"),
]


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
    words: Annotated[str, Query(max_length=MAX_WORDS, description="each begins a word of label, caption or key")] = "",
    label: Annotated[str, Query(max_length=MAX_TEXT, description="the label's name or title")] = "",
    text: Annotated[str, Query(max_length=MAX_TEXT, description="orders by meaning, and excludes nothing")] = "",
    start: Start = 0,
    count: Count = 50,
) -> MatchesAnswer:
    """Images in which all, at least one and none of these latents are active, with these words and this label.

    With a text the nearest in meaning come first, otherwise the strongest; without active latents in the store's order.
    """
    lists = tuple(all_of), tuple(any_of), tuple(none_of)
    asked = PicturesQuery(*lists, q=words.strip(), label=label.strip(), text=text.strip())
    if not asked.names_pictures:
        raise HTTPException(422, "say which images: all_of or any_of, words, a label or a text")
    store = current_store()
    if problem := _problem(store, asked):
        raise HTTPException(422, problem)
    with admitted() if asked.text else nullcontext():
        found = find(store, asked, lambda texts: embed_texts(store, texts))
    if found.problem:
        raise HTTPException(503, found.problem)
    chance = by_chance(store, asked)
    return MatchesAnswer(
        n=found.n,
        n_by_chance=chance.n if chance else None,
        n_listed=len(found.image_ids),
        start=start,
        images=_matches(store, found, slice(start, start + count)),
        text=_text_control(found.meaning),
    )


def _problem(store: LatentStore, asked: PicturesQuery) -> str | None:
    """What latents are not there, or withheld, says the store itself, as everywhere in the API."""
    for latent in asked.latents:
        store.gallery_size(latent)
    store.check_latents_shown(asked.latents)
    return problem_of(store, asked)


def _matches(store: LatentStore, found: Found, some: slice) -> list[Match]:
    ids = found.image_ids[some].tolist()
    figures = [None] * len(ids) if found.figures is None else found.figures[some].tolist()
    by_text = found.figure_name == "cosine"
    return [
        Match(
            image=None if store.is_hidden(image) else image,
            activation=None if by_text else figure,
            cosine=figure if by_text else None,
        )
        for image, figure in zip(ids, figures, strict=True)
    ]


def _text_control(meaning: Meaning | None) -> TextControl | None:
    if meaning is None:
        return None
    z = number_or_none(meaning.best_z)
    return TextControl(
        mean=meaning.mean,
        z=z,
        control=search_control(meaning.chance),
        stands_out=z is not None and meaning.stands_out,
        searched=meaning.searched,
    )


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
