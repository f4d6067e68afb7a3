"""What the store answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float32, Int64
from numpy import ndarray


class Gallery(NamedTuple):
    """Images of one latent, strongest activation first; ties by image id."""

    image_ids: Int64[ndarray, "m"]
    activations: Float32[ndarray, "m"]  # all > 0


class SparseCode(NamedTuple):
    """Active latents of one image, strongest first."""

    latents: Int64[ndarray, "m"]  # m <= k
    activations: Float32[ndarray, "m"]  # all > 0


class Neighbours(NamedTuple):
    """Nearest images or latents, most similar first."""

    ids: Int64[ndarray, "m"]
    similarities: Float32[ndarray, "m"]  # cosines, -1 … 1


@dataclass(frozen=True)
class ImageRecord:
    """One indexed image."""

    image_id: int
    source_key: str  # path relative to the source
    label: str | None
    caption: str | None
    split: str | None
    width: int  # pixels of the original, after the EXIF turn
    height: int
    sha256: str  # of the original's bytes


class Thumbnail(NamedTuple):
    """A small picture, encoded."""

    data: bytes
    media_type: str  # image/webp, image/jpeg or image/png


class LabelColumn(NamedTuple):
    """The labels of all images, as codes."""

    codes: ndarray  # int32 [n_images]; -1: no label
    names: list[str]
