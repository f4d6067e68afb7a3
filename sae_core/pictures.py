"""Any picture file becomes the RGB picture a person would see: EXIF turned, transparency on white, depth scaled."""

from __future__ import annotations

import io
import warnings
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from sae_core import jpegs
from sae_core.errors import PictureError, first_line
from sae_core.rgb import White, by_strips, grey

# Pillow warns of odd metadata; the pixels decide. Once for all: catch_warnings is not safe in threads.
warnings.filterwarnings("ignore", module=r"PIL(\.|$)")

MAX_PIXELS = 100_000_000  # about 400 MB decoded, twice that while they are; larger files are refused before decoding
# A progressive JPEG is passed over once for every scan, and a scan of nothing takes 150 bytes: 20 MB are hours.
# Real ones have about ten scans. libjpeg leaves the bound to its caller.
_MAX_SCANNED = 30 * MAX_PIXELS
_SCAN = b"\xff\xda"  # cannot stand in the coded data, where 0xff is always followed by 0 or a restart
# Pillow can open more (EPS runs Ghostscript, PDF and WMF call helpers); these decode in process and to one picture.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "JPEG2000", "TGA", "ICO")
EXTENSIONS = frozenset(
    (
        ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .gif .bmp .dib .tif .tiff .avif "
        ".ppm .pgm .pbm .pnm .jp2 .j2k .tga .ico"
    ).split()
)
HEIC = frozenset((".heic", ".heif", ".hif"))  # what telephones write, and Pillow alone cannot open
_HEIC_BRANDS = frozenset(b"heic heix heim heis hevc hevx hevm hevs mif1 msf1".split())


class Picture:
    """A decoded picture, upright, as an array and as Pillow's image: whichever is asked for is made of the other."""

    def __init__(
        self,
        decoded: Image.Image | UInt8[np.ndarray, "h w 3"],
        size: tuple[int, int] | None = None,
        *,
        on_white: bool = False,
        first_of_several: bool = False,
    ) -> None:
        self._decoded = decoded  # mode RGB
        self.on_white = on_white  # some of it was transparent
        self.first_of_several = first_of_several  # frames of an animation, or pages
        self.width, self.height = size or self.rgb.size  # pixels, after the EXIF turn; more where decoded smaller

    @cached_property
    def rgb(self) -> Image.Image:
        """Mode RGB."""
        return self._decoded if isinstance(self._decoded, Image.Image) else Image.fromarray(self._decoded)

    @cached_property
    def pixels(self) -> UInt8[np.ndarray, "h w 3"]:
        """The same, to be read only."""
        return np.array(self._decoded) if isinstance(self._decoded, Image.Image) else self._decoded


def open_picture(source: bytes | Path, short_side: int | None = None) -> Picture:
    """Decodes the first frame of a picture file.

    With `short_side`, a JPEG may be decoded smaller, as long as no side has fewer pixels than that.
    Raises PictureError with a one-word reason and a sentence: unreadable, not-a-picture, too-large, broken.
    """
    data = source if isinstance(source, bytes) else _read(source)
    if not data:
        raise PictureError("empty", "the file is empty")
    return _decode(data, short_side)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError("unreadable", f"the file cannot be read: {error.strerror}") from error


def _decode(data: bytes, short_side: int | None) -> Picture:
    image = _opened(data)
    try:
        if jpegs.is_plain(image) and (pixels := jpegs.decoded(data, short_side)) is not None:
            return Picture(pixels, image.size)
        return _seen(image, first_of_several=_has_more(image, data))
    except Exception as error:  # truncated or corrupt data surfaces here, as many types
        raise PictureError("broken", f"the picture cannot be decoded: {first_line(error)[:200]}") from error


def _opened(data: bytes) -> Image.Image:
    """The file's header read, nothing decoded: what would take too much memory or time is refused."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:  # after AVIF, which begins alike, was tried
            raise PictureError(
                "not-a-picture", "the picture is HEIC, which cannot be read here: convert it to JPEG"
            ) from error
        raise PictureError("not-a-picture", "the file is no picture that we read (JPEG, PNG, WebP, GIF, …)") from error
    except Image.DecompressionBombError as error:
        raise PictureError("too-large", f"the picture has more than {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # decoders raise whatever they like on hostile headers
        raise PictureError("broken", f"the picture cannot be decoded: {first_line(error)[:200]}") from error
    if image.width * image.height > MAX_PIXELS:
        said = f"the picture has {image.width:,} x {image.height:,} pixels; at most {MAX_PIXELS:,} are read"
        raise PictureError("too-large", said)
    scans = data.count(_SCAN) if image.format in ("JPEG", "MPO") else 1
    if scans * (image.width * image.height + 10_000) > _MAX_SCANNED:
        raise PictureError("too-large", f"the JPEG has {scans:,} scans of its pixels; so many are not decoded")
    return image


def _has_more(image: Image.Image, data: bytes) -> bool:
    """Whether there are more frames or pages than the first; what cameras add to a JPEG is no other picture."""
    if image.format != "GIF":
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    try:  # a GIF looks for its second frame, which may be broken: that must not cost the first
        return bool(Image.open(io.BytesIO(data), formats=("GIF",)).is_animated)  # type: ignore[attr-defined]
    except Exception:
        return False


def _seen(image: Image.Image, *, first_of_several: bool) -> Picture:
    """The first frame as a person sees it."""
    image.seek(0)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)  # otherwise a copy, also where nothing is to be turned
    if image.mode == "RGB" and "transparency" not in image.info:
        return Picture(image, first_of_several=first_of_several)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Picture(by_strips(image, grey(image)), first_of_several=first_of_several)
    if not image.has_transparency_data:
        return Picture(image.convert("RGB"), first_of_several=first_of_several)
    white = White()
    return Picture(by_strips(image, white), on_white=white.shows, first_of_several=first_of_several)
