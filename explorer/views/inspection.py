"""Inspect: one picture, its sparse code, what the code rebuilds, and the nearest pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32
from PIL import Image

from explorer.seen import seen_part
from explorer.views.parts import LatentCard, LatentRef, latent_card, latent_ref
from explorer.views.tiles import Tile, first_shown, tiles
from sae_core import LatentStore
from sae_core.accounting import Fit, fit, reconstruct
from sae_core.errors import PictureError
from sae_core.store.records import KeptCode

N_NEAREST = 12
N_TILES = 4
# A fixed step through the store that visits every picture when it shares no factor with their number.
_STEP = 7919
_HOW_WELL = ((0.97, "close to"), (0.9, "fairly close to"), (0.6, "only roughly"), (float("-inf"), "far from"))


@dataclass(frozen=True, eq=False)
class Source:
    """What is inspected, wherever it came from."""

    kind: Literal["store", "upload"]
    image_id: int | None  # of the store
    embedding: Float32[np.ndarray, "d_embed"]  # unit
    picture: Callable[[], Image.Image]  # RGB: the original, the stored thumbnail, or the upload as the encoder sees it


@dataclass(frozen=True)
class Inspection:
    """What is seen of one picture."""

    code: tuple[LatentCard, ...]  # active latents, strongest first; figure = activation
    inactive: tuple[tuple[LatentRef, float], ...]  # kept by Top-K although the activation is not above 0
    most: str  # how many latents a picture may have, in words
    fit: Fit  # of the reconstruction
    mean_cosine: float  # between embeddings and reconstructions, over the store
    mean_fvu: float  # of the store
    random_pair_cosine: float  # with another picture's reconstruction
    pair_cosine: float  # of two random pictures
    nearest: tuple[Tile, ...]


@dataclass(frozen=True)
class StorePicture:
    """A picture of the store and what is known of it."""

    tile: Tile
    facts: tuple[tuple[str, str], ...]
    another: int  # a different picture to go on with
    sides: tuple[int, int]  # width and height of the original, whose proportions the thumbnail keeps


def store_source(store: LatentStore, image_id: int) -> Source:
    """A picture of the store; the picture itself raises PictureError where the store was shared without any."""

    def picture() -> Image.Image:
        if (original := store.original(image_id)) is not None:
            return original
        thumbnail = store.thumbnail(image_id)
        if thumbnail is None:
            raise PictureError(
                "no-pictures", "this store was shared without its pictures, and there is no copy of this one here"
            )
        return Image.open(io.BytesIO(thumbnail.data)).convert("RGB")

    return Source("store", image_id, store.embedding(image_id), picture)


def kept_code(store: LatentStore, source: Source) -> KeptCode:
    """Everything that Top-K kept, strongest first: the store's own record, or the upload's code by the store's SAE."""
    if source.image_id is None:
        return store.encode(source.embedding)
    latents, activations = store.codes([source.image_id])
    return KeptCode(latents[0], activations[0])


def build_inspection(store: LatentStore, source: Source) -> Inspection:
    """The view of a picture's code, and of the pictures beside it."""
    kept = kept_code(store, source)
    code = list(zip(kept.latents.tolist(), kept.activations.tolist(), strict=True))
    report = store.manifest.report
    rebuilt = reconstruct(kept, store.decoder_rows, store.decoder_bias)
    return Inspection(
        code=tuple(latent_card(store, latent, N_TILES, figure=value) for latent, value in code if value > 0),
        inactive=tuple((latent_ref(store, latent), value) for latent, value in code if value < 0),
        most=f"at most {store.k}" if store.has_thresholds else f"k = {store.k}",
        fit=fit(source.embedding, rebuilt, store.mean_embedding),
        mean_cosine=report.cosine,
        mean_fvu=report.fvu,
        random_pair_cosine=report.random_pair_cosine,
        pair_cosine=pair_cosine(store),
        nearest=nearest(store, source.embedding, source.image_id),
    )


def pair_cosine(store: LatentStore) -> float:
    """Mean cosine over all pairs of two pictures: embeddings have norm 1, so that their mean's norm says it."""
    n, square = store.n_images, float(np.square(store.mean_embedding, dtype=np.float64).sum())
    return (n * square - 1) / (n - 1) if n > 1 else float("nan")


def build_store_picture(store: LatentStore, image_id: int) -> StorePicture:
    """Raises IndexError where there is no such picture."""
    record = store.image(image_id)
    facts = (
        ("label", record.label),
        ("file", record.source_key),
        ("split", record.split),
        ("original", f"{record.width:,} × {record.height:,} pixels"),
        ("CLIP sees", seen_part(store.manifest.encoder.preprocessing, record.width, record.height)),
    )
    return StorePicture(
        tile=tiles(store, [image_id])[0],
        facts=tuple((name, value) for name, value in facts if value),
        another=first_shown(store, another_picture(store.n_images, image_id)) or 0,
        sides=(record.width, record.height),
    )


def another_picture(n_images: int, image_id: int) -> int:
    """The next picture of a walk through the store that looks random and repeats late."""
    return (image_id + _STEP) % n_images if n_images % _STEP else (image_id + 1) % n_images


def in_words(view: Inspection) -> str:
    """How good the reconstruction is: 0 is another picture's, 1 is the store's mean."""
    room = view.mean_cosine - view.random_pair_cosine
    gain = (view.fit.cosine - view.random_pair_cosine) / room if room > 0 else 0.0
    how = next(word for least, word in _HOW_WELL if gain >= least)
    n = len(view.code)
    who = "this one active latent" if n == 1 else f"these {n} active latents"
    return f"The picture rebuilt from {who} and the bias is {how} what CLIP sees"


def nearest(store: LatentStore, embedding: np.ndarray, image_id: int | None) -> tuple[Tile, ...]:
    """The store's nearest pictures, the inspected one (`image_id`) left out; figure = cosine."""
    found = store.nearest_images(embedding, N_NEAREST + 1)
    keep = found.ids != (-1 if image_id is None else image_id)
    ids, similarities = found.ids[keep][:N_NEAREST], found.similarities[keep][:N_NEAREST]
    return tiles(store, ids.tolist(), similarities.tolist(), figure_name="cosine")
