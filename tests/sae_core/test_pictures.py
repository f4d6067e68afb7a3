"""Files of every kind become the picture a person would see; everything else is one sentence."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sae_core import pictures, rgb
from sae_core.errors import PictureError
from sae_core.pictures import open_picture
from sae_core.references import REPOSITORY_ROOT
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


@pytest.mark.parametrize("strip", [1, 100, 10**6])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "I;16", "I;16B", "F", "1", "CMYK"])
def test_parts_of_a_picture_are_seen_as_the_whole(monkeypatch: pytest.MonkeyPatch, mode: str, strip: int) -> None:
    """Against the whole arrays at once, turned too."""
    monkeypatch.setattr(rgb, "_STRIP", strip)
    rng, exif = np.random.default_rng(0), Image.Exif()
    exif[0x0112] = 6
    deep = {"I;16": "<u2", "I;16B": ">u2", "F": "<f4"}
    if mode in deep:
        values = rng.integers(0, 65536, (37, 23)).astype(deep[mode])
        image = Image.fromarray(values)
        scaled = values.astype(np.float64)
        if mode == "F":
            scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min()) * 65535
        expected = np.repeat((scaled / 65535 * 255 + 0.5).astype(np.uint8)[..., None], 3, axis=2)
    else:
        image = Image.fromarray(rng.integers(0, 256, (37, 23, 4), dtype=np.uint8), "RGBA").convert(mode)
        white = Image.new("RGBA", image.size, "white")
        whole = Image.alpha_composite(white, image.convert("RGBA")) if image.has_transparency_data else image
        expected = np.array(whole.convert("RGB"))
    assert image.mode == mode
    seen = open_picture(encoded(image, "TIFF" if mode in ("F", "I;16B", "CMYK") else "PNG", exif=exif.tobytes()))
    np.testing.assert_array_equal(seen.pixels, np.rot90(expected, -1))


def test_a_transparent_picture_takes_twice_its_room(tmp_path: Path) -> None:
    """The picture and what is made of it, of four bytes a pixel each, and not every step in between."""
    Image.new("RGBA", (4000, 4000)).save(tmp_path / "a.png", compress_level=1)
    program = (
        "import resource, sys; from pathlib import Path; from sae_core.pictures import open_picture\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); open_picture(Path(sys.argv[1])); print((peak() - before) * 1024 / 4000**2)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.png")]
    said = subprocess.run(command, cwd=REPOSITORY_ROOT, capture_output=True, check=True)
    assert float(said.stdout) < 12


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    seen = open_picture(out.getvalue())
    assert seen.rgb.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_one_of_several_frames_or_pages_says_so(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    assert not open_picture(encoded(frames[0], kind)).first_of_several
    seen = open_picture(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert seen.first_of_several
    red, _, blue = (int(value) for value in seen.pixels[3, 3])
    assert red > 240 and blue < 15


def test_a_second_view_in_a_cameras_file_is_no_frame() -> None:
    some = [picture(number)[1] for number in range(2)]
    assert not open_picture(encoded(some[0], "MPO", save_all=True, append_images=some[1:])).first_of_several


def test_a_broken_second_frame_does_not_cost_the_first() -> None:
    frames = [Image.new("L", (16, 16), level) for level in (0, 255)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    first, second = (at for at in range(len(data)) if data[at : at + 9] == b"\x2c\0\0\0\0\x10\0\x10\0")
    assert open_picture(data).first_of_several and first < second
    for broken in (data[: second + 4], data[:second] + b"\x2c" + b"\xff" * 40):
        assert open_picture(broken).rgb.size == (16, 16)


def test_white_is_told_only_where_it_shows() -> None:
    opaque = Image.new("RGBA", (4, 4), (9, 9, 9, 255))
    assert not open_picture(encoded(opaque)).on_white
    assert not open_picture(encoded(Image.new("RGB", (4, 4)))).on_white
    opaque.putpixel((3, 3), (9, 9, 9, 254))
    assert open_picture(encoded(opaque)).on_white
    palette = Image.new("P", (2, 1), 1)
    palette.putpalette([200, 10, 20, 0, 0, 255])
    assert not open_picture(encoded(palette, transparency=0)).on_white
    assert open_picture(encoded(palette, transparency=1)).on_white


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
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40, "not-a-picture"),
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


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heic_is_refused_by_its_name(brand: bytes) -> None:
    with pytest.raises(PictureError, match="is HEIC, which cannot be read here: convert it to JPEG"):
        open_picture(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + b"\0" * 40)


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


@settings(max_examples=300)
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


def turned_by_xmp() -> bytes:
    """A JPEG without EXIF, whose XMP says that the camera was turned."""
    said = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    return encoded(Image.new("RGB", (20, 10), "red"), "JPEG", xmp=said)


def test_an_orientation_in_xmp_is_applied() -> None:
    assert open_picture(turned_by_xmp()).rgb.size == (10, 20)


@pytest.mark.parametrize(
    "options", [{"subsampling": n} for n in (0, 1, 2)] + [{"progressive": True}, {"keep_rgb": True}]
)
@pytest.mark.parametrize("size", [(64, 48), (61, 33), (1, 7)])
def test_jpegs_have_pillows_pixels(size: tuple[int, int], options: dict[str, object]) -> None:
    data = encoded(picture(4, size)[1], "JPEG", quality=90, **options)
    seen = open_picture(data)
    assert seen.pixels.shape == (*size[::-1], 3) and (seen.width, seen.height) == size
    np.testing.assert_array_equal(seen.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    np.testing.assert_array_equal(seen.pixels, np.asarray(seen.rgb))


@pytest.mark.parametrize(
    ("size", "least", "wanted"),
    [
        ((800, 600), 300, (400, 300)),
        ((800, 600), 301, (800, 600)),  # a half would be too small
        ((801, 1_601), 250, (301, 601)),  # three eighths, rounded up
        ((800, 600), 10, (100, 75)),
        ((800, 600), 0, (800, 600)),
    ],
)
def test_a_jpeg_is_decoded_no_larger_than_asked(size: tuple[int, int], least: int, wanted: tuple[int, int]) -> None:
    data = encoded(picture(2)[1].resize(size), "JPEG")
    seen = open_picture(data, least)
    assert (seen.width, seen.height) == size
    assert seen.rgb.size == wanted
    small = np.asarray(Image.open(io.BytesIO(data)).resize(wanted, Image.Resampling.BOX), dtype=int)
    assert np.abs(seen.pixels - small).mean() < 4


def test_other_files_are_decoded_whole() -> None:
    image = picture(2)[1].resize((800, 600))
    exif = Image.Exif()
    exif[0x0112] = 6
    for data in (encoded(image), encoded(image, "JPEG", exif=exif.tobytes()), encoded(image.convert("L"), "JPEG")):
        assert sorted(open_picture(data, 50).rgb.size) == [600, 800]


def test_a_jpeg_with_trailing_damage_is_judged_by_pillow() -> None:
    """libjpeg goes on over it, with a warning; what Pillow shows is what we show, also where less is asked for."""
    whole = bytearray(encoded(picture(4)[1].resize((300, 200)), "JPEG"))
    start = whole.index(b"\xff\xda") + 400
    whole[start : start + 3] = b"\xff\xd5\x00"  # a restart marker that nobody announced
    expected = np.asarray(Image.open(io.BytesIO(whole)).convert("RGB"))
    for least in (None, 20):
        np.testing.assert_array_equal(open_picture(bytes(whole), least).pixels, expected)
