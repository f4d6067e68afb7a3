"""The pictures of a choice, with their embeddings and codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from explorer.views.selection import Selection, label_code
from explorer.wording import plural
from sae_core import LatentStore
from sae_core.errors import SparsightError, WithheldError

EmbedText = Callable[[str], np.ndarray]  # raises SparsightError where the encoder cannot be loaded
MAX_PICTURES = 200
MAX_LATENTS = 64
_MAX_TEXT = 300  # characters; CLIP reads 77 tokens


@dataclass(frozen=True, eq=False)
class Uploaded:
    """What is needed of the visitor's picture."""

    name: str
    embedding: Float32[np.ndarray, "d_embed"]


@dataclass(frozen=True, eq=False)
class Resolved:
    """A choice with its pictures; of an upload there is one, which has no image id."""

    selection: Selection
    title: str
    centre: Float32[np.ndarray, "d_embed"]  # unit: the picture itself, otherwise the mean of the pictures
    image_ids: Int64[np.ndarray, "m"]  # empty for an upload
    embeddings: Float32[np.ndarray, "m d_embed"]
    indices: Int64[np.ndarray, "m k"]  # everything that Top-K kept, strongest first
    activations: Float32[np.ndarray, "m k"]
    n_found: int  # pictures that were found, of which MAX_PICTURES at most are here
    latents: tuple[int, ...] | None = None  # where latents were chosen
    label: int | None = None  # where a label was chosen


def resolve(store: LatentStore, selection: Selection, embed_text: EmbedText, upload: Uploaded | None) -> Resolved:
    """The pictures of a choice, MAX_PICTURES at most. Raises SparsightError with a sentence where there are none."""
    if selection.kind == "image":
        return _images(store, selection)
    if selection.kind == "label":
        return _label(store, selection)
    if selection.kind == "text":
        return _text(store, selection, embed_text)
    if selection.kind == "latents":
        return _latents(store, selection)
    return _upload(store, selection, upload)


def _images(store: LatentStore, selection: Selection) -> Resolved:
    ids = _known(selection.numbers, store.n_images, "picture")
    for image_id in ids:
        store.check_shown(image_id)
    records = store.images(ids[:1])
    caption = records[0].caption or records[0].title or f"picture {ids[0]}"
    title = caption if len(ids) == 1 else plural(len(ids), "picture")
    return _of_images(store, selection, title, np.array(ids[:MAX_PICTURES], dtype=np.int64), len(ids))


def _label(store: LatentStore, selection: Selection) -> Resolved:
    code = label_code(store, selection.value)
    if code is None:
        n = len(store.labels.names)
        has = f"this store has {plural(n, 'label')}" if n else "this store's pictures have no labels"
        raise SparsightError(f"there is no label “{selection.value}”; {has}")
    ids = store.images_of_label(code)
    if not len(ids):
        raise SparsightError(f"no picture carries the label “{selection.value}”")
    ids = drawn = _shown(store, ids)
    if len(ids) > MAX_PICTURES:
        rng = np.random.default_rng(code)
        drawn = np.sort(rng.choice(ids, MAX_PICTURES, replace=False))
    return _of_images(store, selection, store.labels.titles[code], drawn, len(ids), label=code)


def _text(store: LatentStore, selection: Selection, embed_text: EmbedText) -> Resolved:
    if len(selection.value) > _MAX_TEXT:
        raise SparsightError(f"a text has {_MAX_TEXT} characters at most")
    found = store.nearest_images(embed_text(selection.value), n_for_text(store)).ids.astype(np.int64)
    ids = _shown(store, found)
    return _of_images(store, selection, f"“{selection.value}”", ids, len(ids))


def _latents(store: LatentStore, selection: Selection) -> Resolved:
    latents = _known(selection.numbers, store.n_latents, "latent")
    if len(latents) > MAX_LATENTS:
        raise SparsightError(f"a choice takes {MAX_LATENTS} latents at most, not {len(latents)}")
    found = store.images_where(any_of=latents).image_ids
    if not len(found):
        which = "latent " if len(latents) == 1 else "latents "
        raise SparsightError(f"{which}{', '.join(f'#{latent}' for latent in latents)}: active in no picture (dead)")
    found = _shown(store, found)
    title = ", ".join(f"#{latent}" for latent in latents[:4]) + (" …" if len(latents) > 4 else "")
    return _of_images(store, selection, title, found[:MAX_PICTURES], len(found), latents=latents)


def _shown(store: LatentStore, image_ids: Int64[np.ndarray, "m"]) -> Int64[np.ndarray, "n"]:
    """Without those that are withheld: the mean code of one is its code. Raises WithheldError where none is left."""
    shown: np.ndarray = image_ids[store.shown(image_ids)]
    if not len(shown):
        raise WithheldError("all pictures of this choice are withheld by those who share this store")
    return shown


def _upload(store: LatentStore, selection: Selection, upload: Uploaded | None) -> Resolved:
    if upload is None:
        if selection.value:
            raise SparsightError("there is no earlier upload in this session: Inspect keeps the last two pictures")
        raise SparsightError("there is no upload in this session: choose a picture on the Inspect page first")
    kept = store.encode(upload.embedding)
    return Resolved(
        selection=selection,
        title=upload.name,
        centre=upload.embedding,
        image_ids=np.zeros(0, dtype=np.int64),
        embeddings=upload.embedding[None],
        indices=kept.latents[None],
        activations=kept.activations[None],
        n_found=1,
    )


def _of_images(
    store: LatentStore,
    selection: Selection,
    title: str,
    image_ids: np.ndarray,
    n_found: int,
    *,
    latents: tuple[int, ...] | None = None,
    label: int | None = None,
) -> Resolved:
    embeddings = store.embeddings(image_ids)
    indices, activations = store.codes(image_ids)
    centre = embeddings.mean(0, dtype=np.float64)
    centre /= max(float(np.linalg.norm(centre)), 1e-12)
    unit = centre.astype(np.float32)
    return Resolved(selection, title, unit, image_ids, embeddings, indices, activations, n_found, latents, label)


def _known(numbers: tuple[int, ...], n: int, what: str) -> tuple[int, ...]:
    unknown = [number for number in numbers if number >= n]
    if unknown:
        raise SparsightError(f"there is no {what} {unknown[0]}; this store has {what}s 0 … {n - 1:,}")
    return numbers


def n_for_text(store: LatentStore) -> int:
    """As many pictures as stand for a text: the nearest ones, a small part of a small store."""
    return max(1, min(MAX_PICTURES // 4, store.n_images // 10 or 1))
