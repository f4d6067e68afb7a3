"""Uploads and source pictures: whatever the bytes, a picture or a PictureError."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from benchmarks.fuzzing.target import Fault, Target
from sae_core.errors import PictureError
from sae_core.pictures import MAX_PIXELS, open_picture
from sae_core.references import DEMO_ASSETS
from sae_core.thumbnails import encode_thumbnail

_SIDE = 24  # pixels of a seed
# name: Pillow's format, the mode, how it is saved
_KINDS: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "jpg": ("JPEG", "RGB", {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"}),
    "progressive.jpg": ("JPEG", "RGB", {"progressive": True}),
    "cmyk.jpg": ("JPEG", "CMYK", {}),
    "mpo": ("MPO", "RGB", {"save_all": True}),
    "png": ("PNG", "RGBA", {}),
    "grey16.png": ("PNG", "I;16", {}),
    "palette.png": ("PNG", "P", {"transparency": 3}),
    "apng": ("PNG", "RGB", {"save_all": True, "default_image": True}),
    "webp": ("WEBP", "RGBA", {}),
    "gif": ("GIF", "P", {"save_all": True}),
    "bmp": ("BMP", "RGB", {}),
    "rle.tga": ("TGA", "RGB", {"compression": "tga_rle"}),
    "tif": ("TIFF", "RGB", {}),
    "lzw.tif": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "jpeg.tif": ("TIFF", "RGB", {"compression": "jpeg"}),
    "float.tif": ("TIFF", "F", {}),
    "avif": ("AVIF", "RGB", {}),
    "ppm": ("PPM", "RGB", {}),
    "pgm": ("PPM", "L", {}),
    "jp2": ("JPEG2000", "RGB", {}),
    "ico": ("ICO", "RGBA", {"sizes": [(16, 16)]}),
}


class Pictures(Target):
    """`open_picture`, and what the builder and the pages then do with the pixels."""

    def seeds(self) -> Mapping[str, bytes]:
        """The demonstration's uploads, small, in every format that is read."""
        with Image.open(DEMO_ASSETS / "uploads" / "astronaut.jpg") as photo:
            small = photo.convert("RGB").resize((_SIDE, _SIDE))
        return {name: _saved(small, *how) for name, how in _KINDS.items()}

    def run(self, data: bytes) -> str:
        """`RGB`, or the reason of the refusal."""
        try:
            picture = open_picture(data)
        except PictureError as error:
            return f"refused: {error.reason}"
        if picture.rgb.mode != "RGB" or not 0 < picture.width * picture.height <= MAX_PIXELS:
            raise Fault(f"a picture of mode {picture.rgb.mode}, {picture.width} x {picture.height}")
        encode_thumbnail(picture, 64)
        return "a picture"


def make(workspace: Path) -> Target:
    """The target."""
    return Pictures(workspace)


def _saved(picture: Image.Image, kind: str, mode: str, options: Mapping[str, object]) -> bytes:
    deep = mode == "I;16"
    shown = (picture.convert("L").convert("I") if deep else picture).convert(mode)
    frames = {"append_images": [shown.rotate(90)]} if options.get("save_all") else {}
    out = io.BytesIO()
    shown.save(out, kind, **options, **frames)
    return out.getvalue()
