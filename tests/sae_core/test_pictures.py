"""Files of every kind become the picture a person would see; everything else is one sentence."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sae_core import pictures
from sae_core.errors import PictureError
from sae_core.pictures import encode_thumbnail, open_picture
from tests.support.pictures import encoded, picture


def pixel(data: bytes, at: tuple[int, int] = (0, 0)) -> tuple[int, ...]:
    value = open_picture(data).rgb.getpixel(at)
    assert isinstance(value, tuple)
    return value


def test_exif_orientation_is_applied() -> None:
    image = Image.new("RGB", (20, 10), "white")
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate a quarter clockwise to see it upright
    seen = open_picture(encoded(image, exif=exif.tobytes()))
    assert seen.rgb.size == (10, 20)
    assert seen.rgb.getpixel((9, 0)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_shows_white(mode: str) -> None:
    image = Image.new(mode, (4, 4), (0,) * len(mode))
    assert pixel(encoded(image)) == (255, 255, 255)


def test_half_transparent_black_is_grey() -> None:
    assert pixel(encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 128)))) == (127, 127, 127)


def test_palettes_with_and_without_a_transparent_colour() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 10, 20, 0, 0, 255])
    image.putpixel((1, 0), 1)
    assert pixel(encoded(image)) == (200, 10, 20)
    assert pixel(encoded(image, transparency=1), (1, 0)) == (255, 255, 255)
    assert pixel(encoded(image, "GIF"), (1, 0)) == (0, 0, 255)


def test_cmyk_and_grey() -> None:
    red, green, blue = pixel(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert red > 200 and green < 60 and blue < 60
    assert pixel(encoded(Image.new("L", (2, 2), 77))) == (77, 77, 77)
    assert pixel(encoded(Image.new("1", (2, 2), 1))) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str) -> None:
    values = np.array([[0, 32768, 65535]], dtype=np.uint16)
    data = encoded(Image.fromarray(values), kind)
    assert [pixel(data, (x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_float_pictures_are_stretched_over_their_own_range() -> None:
    values = np.array([[-1.0, 0.0, 1.0, np.nan]], dtype=np.float32)
    data = encoded(Image.fromarray(values), "TIFF")
    assert [pixel(data, (x, 0))[0] for x in range(4)] == [0, 128, 255, 0]


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    seen = open_picture(out.getvalue())
    assert seen.rgb.getpixel((0, 0)) == (255, 0, 0)


def _png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 9)
        + b"IDAT"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello, I am a text file", "not-a-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not-a-picture"),  # would run Ghostscript
        (_png_header(100_000, 100_000), "too-large"),
        (_png_header(12_000, 12_000), "too-large"),
        (_png_header(10, 10), "broken"),
        (encoded(picture(0)[1], "JPEG")[:400], "broken"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError) as caught:
        open_picture(data)
    assert caught.value.reason == reason
    assert str(caught.value).startswith("the ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(("side", "more", "refused"), [(10_000, 26, True), (10_000, 20, False), (10, 300_000, True)])
def test_a_jpeg_of_endless_scans_is_refused_before_it_is_decoded(side: int, more: int, refused: bool) -> None:
    """Each scan is 150 bytes, and a pass over all pixels."""
    with_scans = _more_scans(encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True), more)
    if not refused:
        assert open_picture(with_scans).width == side
        return
    with pytest.raises(PictureError, match="scans of its pixels") as caught:
        open_picture(with_scans)
    assert caught.value.reason == "too-large"


def _more_scans(progressive: bytes, more: int) -> bytes:
    """The last scan of a progressive JPEG (of six, in grey) over and over."""
    return progressive[:-2] + progressive[progressive.rindex(b"\xff\xda") : -2] * more + progressive[-2:]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="No such file"):
        open_picture(tmp_path / "gone.png")


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]), data=st.data())
def test_damaged_files_never_raise_anything_else(kind: str, data: st.DataObject) -> None:
    whole = bytearray(encoded(picture(3)[1], kind))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    for damaged in (bytes(whole), bytes(cut)):
        with contextlib.suppress(PictureError):
            assert open_picture(damaged).rgb.mode == "RGB"


def test_only_formats_that_pillow_decodes_in_process() -> None:
    Image.init()
    assert set(pictures.FORMATS) <= set(Image.OPEN)
    assert not {"EPS", "WMF", "PDF"} & set(pictures.FORMATS)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900))
def test_thumbnails_are_pillows_but_for_rounding(width: int, height: int) -> None:
    made = open_picture(encoded(picture(5, (width, height))[1]))
    size = pictures.thumbnail_size((width, height), 200)
    assert max(size) <= 200 and min(size) >= 1
    off = np.abs(pictures._shrunk(made.rgb, size).astype(int) - np.asarray(made.rgb.resize(size, 3), dtype=int))
    assert off.max() <= 2
    assert Image.open(io.BytesIO(encode_thumbnail(made.rgb, 200))).size == size
