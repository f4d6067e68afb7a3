"""Thumbnails and the compatibility check, each alone against a hand-worked case."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from index_builder.compatibility import looks_wrong
from sae_core.metrics import Fidelity
from sae_core.pictures import open_picture
from sae_core.thumbnails import encode_thumbnail
from tests.support.pictures import encoded


def test_large_pictures_shrink_and_small_ones_keep_their_size() -> None:
    for size, wanted in (((800, 600), (256, 192)), ((100, 60), (100, 60)), ((1, 3_000), (1, 256))):
        picture = open_picture(encoded(Image.new("RGB", size, "red")))
        made = Image.open(io.BytesIO(encode_thumbnail(picture, 256)))
        assert made.size == wanted and made.format == "JPEG"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_no_thumbnail_carries_more_than_pixels(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "12 Some Street"
    texts = PngInfo()
    texts.add_text("Author", "12 Some Street")
    options = {"exif": exif.tobytes(), "comment": b"12 Some Street"} if kind == "JPEG" else {"pnginfo": texts}
    data = encoded(Image.new("RGB", (60, 60)), kind, **options) + b"12 Some Street"
    assert data.count(b"Some Street") >= 2
    assert b"Some Street" not in encode_thumbnail(open_picture(data), 256)


@pytest.mark.parametrize(
    ("cosine", "pairs", "fvu", "wrong"),
    [
        (0.94, 0.3, 0.14, False),
        (0.99, 0.91, 0.1, False),
        (0.5, 0.49, 0.9, True),
        (0.9, 0.2, 1.4, True),
        (0.6, 0.55, 0.5, True),
    ],
)
def test_a_mismatch_is_told_by_its_baseline(cosine: float, pairs: float, fvu: float, wrong: bool) -> None:
    assert looks_wrong(Fidelity(fvu, cosine, pairs, 16.0)) == wrong
