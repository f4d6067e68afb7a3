"""Thumbnails: small JPEGs that are always made anew, so that nothing but pixels is shared."""

from __future__ import annotations

import numpy as np
import simplejpeg
from jaxtyping import UInt8
from PIL import Image

from sae_core.pictures import Picture
from sae_core.resizing import resized

_QUALITY = 85
_REDUCED_FROM = 4  # times a thumbnail's side: larger pictures are first reduced by whole numbers, which is faster


def encode_thumbnail(picture: Picture, side: int) -> bytes:
    """JPEG of a picture with its longer side at most `side` pixels."""
    size = thumbnail_size((picture.width, picture.height), side)
    here = picture.pixels.shape
    if max(here) >= _REDUCED_FROM * max(size):
        return encode_small(np.asarray(picture.rgb.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)))
    return encode_small(resized(picture.pixels, size))


def thumbnail_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Width and height of a picture's thumbnail, whose longer side is at most `side` pixels."""
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def encode_small(pixels: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """The JPEG of a thumbnail's pixels. Python's lock is free meanwhile."""
    made: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=_QUALITY, colorsubsampling="444")
    return made
