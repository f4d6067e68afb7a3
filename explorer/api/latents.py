"""Latents: figures, galleries, neighbours."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from explorer.api.answers import (
    Activation,
    Control,
    GalleryAnswer,
    LatentAnswer,
    LatentsAnswer,
    SimilarLatent,
    StoreAnswer,
)
from explorer.stores import current_store
from explorer.views.cells import number_or_none, text_or_none
from explorer.views.names import LatentName, display_name, name_in
from sae_core import LatentStore

MAX_ROWS = 200
Start = Annotated[int, Query(ge=0, description="rank of the first")]
Count = Annotated[int, Query(ge=1, le=MAX_ROWS, description="how many")]
router = APIRouter(tags=["latents"])
_FIGURES = ("label_purity", "monosemanticity", "split_half")


@router.get("/store")
def store_facts() -> StoreAnswer:
    """What this store is."""
    store = current_store()
    manifest, report = store.manifest, store.manifest.report
    return StoreAnswer(
        name=manifest.name,
        version=store.version,
        n_images=store.n_images,
        n_latents=store.n_latents,
        k=store.k,
        d_embed=manifest.d_embed,
        encoder=manifest.encoder.fingerprint,
        sae=manifest.sae.fingerprint,
        fvu=number_or_none(report.fvu),
        cosine=number_or_none(report.cosine),
        random_pair_cosine=number_or_none(report.random_pair_cosine),
        random_fvu=report.random_fvu,
        picture_fvu=report.picture_fvu,
        l0=report.l0,
        n_dead=report.n_dead,
        n_withheld_latents=len(store.hidden.latents),
        n_withheld_images=store.hidden.n_pictures,
        demonstration=manifest.demonstration,
    )


@router.get("/latents")
def latents(start: Start = 0, count: Count = 50) -> LatentsAnswer:
    """Latents by number; withheld ones are left out."""
    store = current_store()
    numbers = range(min(start, store.n_latents), min(start + count, store.n_latents))
    return LatentsAnswer(
        n=store.n_latents, latents=[_answer(store, number) for number in numbers if number not in store.hidden.latents]
    )


@router.get("/latents/{latent}")
def latent(latent: int) -> LatentAnswer:
    """One latent's figures."""
    store = current_store()
    store.gallery_size(latent)  # raises where there is none
    store.check_latents_shown([latent])
    return _answer(store, latent)


@router.get("/latents/{latent}/gallery")
def gallery(latent: int, start: Start = 0, count: Count = 50) -> GalleryAnswer:
    """Part of the gallery; `start` may go to its very end."""
    store = current_store()
    store.check_latents_shown([latent])
    found = store.gallery(latent, start, start + count)
    return GalleryAnswer(
        latent=latent,
        n=store.gallery_size(latent),
        start=start,
        images=listed(store, found.image_ids, found.activations),
    )


def listed(store: LatentStore, image_ids: np.ndarray, activations: np.ndarray) -> list[Activation]:
    """Places of a gallery. A withheld picture has one, too, without its number: else all galleries tell its code."""
    return [
        Activation(image=None if store.is_hidden(image) else image, activation=activation)
        for image, activation in zip(image_ids.tolist(), activations.tolist(), strict=True)
    ]


@router.get("/latents/{latent}/similar")
def similar(latent: int, count: Annotated[int, Query(ge=1, le=50)] = 10) -> list[SimilarLatent]:
    """Latents with the most similar directions; about 0 is chance."""
    store = current_store()
    store.check_latents_shown([latent])
    found = store.similar_latents(latent, count)
    pairs = zip(found.ids.tolist(), found.similarities.tolist(), strict=True)
    return [similar_latent(store, other, cosine) for other, cosine in pairs]


def similar_latent(store: LatentStore, latent: int, cosine: float) -> SimilarLatent:
    """A latent that was found, with what it is called."""
    return SimilarLatent(latent=latent, id=latent, cosine=cosine, **naming(display_name(store, latent)))


def naming(name: LatentName) -> dict[str, Any]:
    """The fields of `Named`: a person's name has no score, so the figures are always the automatic one's."""
    automatic = name.automatic or name
    return {
        "name": name.text,
        "name_from_a_person": name.automatic is not None,
        "name_score": automatic.score,
        "name_low": automatic.low,
        "name_match": automatic.match,
        "name_borne_out": automatic.borne,
    }


@router.get("/controls")
def controls() -> list[Control]:
    """What the latents' figures are held against; empty where the store was built without controls."""
    table = current_store().controls
    return [] if table is None else [_control(row) for _, row in table.iterrows()]


def _control(row: Any) -> Control:
    name = name_in(row)
    return Control(
        kind=row["kind"],
        like_latent=int(row["like_latent"]),
        n_active=int(row["n_active"]),
        name=name.text,
        name_score=name.score,
        name_low=name.low,
        name_match=name.match,
        name_borne_out=name.borne,
        top_label=text_or_none(row["top_label"]),
        **_figures(row),
    )


def _answer(store: LatentStore, latent: int) -> LatentAnswer:
    row: Any = store.latents.loc[latent]
    return LatentAnswer(
        latent=latent,
        **naming(display_name(store, latent)),
        density=float(row["density"]),
        n_active=int(row["n_active"]),
        max_activation=float(row["max_activation"]),
        mean_activation=float(row["mean_activation"]),
        top_label=text_or_none(row["top_label"]),
        **_figures(row),
    )


def _figures(row: Any) -> dict[str, Any]:
    return {figure: number_or_none(row[figure]) for figure in _FIGURES}
