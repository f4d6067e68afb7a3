"""Inspect: one picture, its sparse code, what the code rebuilds, and the nearest pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32
from PIL import Image

from explorer.views.parts import LatentCard, Tile, latent_card, tiles
from sae_core import LatentStore
from sae_core.errors import PictureError
from sae_core.sae.topk import TopKSAE
from sae_core.store.records import SparseCode

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
    picture: Callable[[], Image.Image]  # RGB: the stored thumbnail, or the upload as the encoder sees it


@dataclass(frozen=True)
class Inspection:
    """What is seen of one picture."""

    code: tuple[LatentCard, ...]  # strongest first; figure = activation
    k: int
    cosine: float  # between the embedding and its reconstruction
    mean_cosine: float  # the same, over the store
    random_pair_cosine: float
    nearest: tuple[Tile, ...]


@dataclass(frozen=True)
class StorePicture:
    """A picture of the store and what is known of it."""

    tile: Tile
    facts: tuple[tuple[str, str], ...]
    another: int  # a different picture to go on with


def store_source(store: LatentStore, image_id: int) -> Source:
    """A picture of the store; the picture itself raises PictureError where the store was shared without any."""

    def picture() -> Image.Image:
        thumbnail = store.thumbnail(image_id)
        if thumbnail is None:
            raise PictureError("no-pictures", "this store was shared without its pictures")
        return Image.open(io.BytesIO(thumbnail.data)).convert("RGB")

    return Source("store", image_id, store.embedding(image_id), picture)


def build_inspection(
    store: LatentStore, sae: TopKSAE, embedding: np.ndarray, image_id: int | None = None
) -> Inspection:
    """The view of an embedding; `image_id` where it is a picture of the store, whose code the store holds."""
    encoded, cosine = encode(sae, embedding)
    code = encoded if image_id is None else store.code(image_id)
    report = store.manifest.report
    return Inspection(
        code=tuple(
            latent_card(store, int(latent), N_TILES, figure=float(activation))
            for latent, activation in zip(code.latents, code.activations, strict=True)
        ),
        k=store.k,
        cosine=cosine,
        mean_cosine=report.cosine,
        random_pair_cosine=report.random_pair_cosine,
        nearest=_nearest(store, embedding, image_id),
    )


def encode(sae: TopKSAE, embedding: np.ndarray) -> tuple[SparseCode, float]:
    """The sparse code of one embedding and the cosine of its reconstruction.

    Top-K may keep negative pre-activations: they belong to the reconstruction, but they are not active.
    """
    import torch

    with torch.inference_mode():
        x = torch.from_numpy(np.array(embedding, dtype=np.float32))[None]
        codes = sae.encode(x)
        rebuilt = sae.decode(codes)
        cosine = float(torch.nn.functional.cosine_similarity(x, rebuilt).item())
        latents, activations = codes.indices[0].numpy(), codes.activations[0].float().numpy()
    order = np.argsort(-activations, kind="stable")
    order = order[activations[order] > 0]
    return SparseCode(latents[order].astype(np.int64), activations[order]), cosine


def build_store_picture(store: LatentStore, image_id: int) -> StorePicture:
    """Raises IndexError where there is no such picture."""
    record = store.image(image_id)
    facts = (
        ("label", record.label),
        ("file", record.source_key),
        ("split", record.split),
        ("original", f"{record.width:,} × {record.height:,} pixels"),
    )
    return StorePicture(
        tile=tiles(store, [image_id])[0],
        facts=tuple((name, value) for name, value in facts if value),
        another=another_picture(store.n_images, image_id),
    )


def another_picture(n_images: int, image_id: int) -> int:
    """The next picture of a walk through the store that looks random and repeats late."""
    return (image_id + _STEP) % n_images if n_images % _STEP else (image_id + 1) % n_images


def in_words(view: Inspection) -> str:
    """How good the reconstruction is: 0 is two random pictures, 1 is the store's mean."""
    room = view.mean_cosine - view.random_pair_cosine
    gain = (view.cosine - view.random_pair_cosine) / room if room > 0 else 0.0
    how = next(word for least, word in _HOW_WELL if gain >= least)
    n = len(view.code)
    who = "this one active latent rebuilds" if n == 1 else f"these {n} active latents rebuild"
    return f"What {who} is {how} what CLIP sees"


def _nearest(store: LatentStore, embedding: np.ndarray, image_id: int | None) -> tuple[Tile, ...]:
    found = store.nearest_images(embedding, N_NEAREST + 1)
    keep = found.ids != (-1 if image_id is None else image_id)
    ids, similarities = found.ids[keep][:N_NEAREST], found.similarities[keep][:N_NEAREST]
    return tiles(store, ids.tolist(), similarities.tolist(), figure_name="cosine")
