"""Plain JPEGs: which they are, and their pixels straight from libjpeg-turbo, the decoder that Pillow uses too."""

from __future__ import annotations

import contextlib

import numpy as np
import simplejpeg
from jaxtyping import UInt8
from PIL import Image

_EXIF_ORIENTATION = 0x0112


def is_plain(image: Image.Image) -> bool:
    """Whether a picture that Pillow opened is an upright JPEG in colour; it is not decoded for that."""
    if image.format != "JPEG" or image.mode != "RGB":
        return False
    # Pillow turns by what EXIF says, or XMP.
    said = "exif" in image.info or "xmp" in image.info
    return not said or image.getexif().get(_EXIF_ORIENTATION, 1) == 1


def is_sound(data: bytes) -> bool:
    """Whether a JPEG's coded data are whole and right, which is known once all of them are read.

    An eighth of the size, in grey: that leaves little to do but reading.
    """
    with contextlib.suppress(ValueError, RuntimeError, MemoryError):
        simplejpeg.decode_jpeg(data, "GRAY", min_height=1, min_width=1, min_factor=8)
        return True
    return False


def decoded(data: bytes, short_side: int | None = None) -> UInt8[np.ndarray, "height width 3"] | None:
    """The pixels of a JPEG; None where anything about it is wrong, which is for Pillow to judge.

    With `short_side` it may be decoded smaller, by whole eighths and at least to a half, where both of its sides keep
    at least that many pixels: libjpeg leaves out what is too fine for them.
    """
    least = short_side or 0
    with contextlib.suppress(ValueError, RuntimeError, MemoryError):
        pixels: np.ndarray = simplejpeg.decode_jpeg(data, "RGB", min_height=least, min_width=least, min_factor=2)
        return pixels
    return None
