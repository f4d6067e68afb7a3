"""Our resize beside Pillow's, up and down; and thumbnails, which are made with it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sae_core.pictures import Picture
from sae_core.resizing import Interpolation, resized
from sae_core.thumbnails import encode_thumbnail, thumbnail_size
from tests.support.pictures import picture

SIDES = st.integers(1, 900)


@pytest.mark.parametrize(
    ("name", "pillows"), [("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)]
)
@settings(max_examples=30)
@given(width=SIDES, height=SIDES, new_width=SIDES, new_height=SIDES)
def test_it_is_pillows_but_for_rounding(
    name: Interpolation, pillows: Image.Resampling, width: int, height: int, new_width: int, new_height: int
) -> None:
    image = smooth(width, height)
    made = resized(np.array(image), (new_width, new_height), name)
    assert made.shape == (new_height, new_width, 3)
    off = np.abs(made.astype(int) - np.asarray(image.resize((new_width, new_height), pillows), dtype=int))
    assert off.max() <= 2


def smooth(width: int, height: int) -> Image.Image:
    """Without noise, of which overshoots are clipped between the two axes: Pillow does not always begin with one."""
    ramps = [Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90), Image.radial_gradient("L")]
    return Image.merge("RGB", ramps).resize((width, height))


def test_of_noise_it_is_pillows_in_the_mean() -> None:
    """Where more width than height is lost, both begin with the rows, and differ by rounding alone."""
    image = picture(5, (500, 375))[1]
    off = np.abs(
        resized(np.array(image), (298, 224)).astype(int)
        - np.asarray(image.resize((298, 224), Image.Resampling.BICUBIC), dtype=int)
    )
    assert off.max() <= 1 and off.mean() < 0.02


def test_the_same_size_is_the_same_pixels() -> None:
    pixels = np.array(picture(1)[1])
    assert resized(pixels, (pixels.shape[1], pixels.shape[0])) is pixels


def test_a_flat_grey_stays_flat() -> None:
    assert (resized(np.full((40, 30, 3), 77, np.uint8), (13, 9)) == 77).all()


@settings(max_examples=20)
@given(SIDES, SIDES)
def test_thumbnails_are_of_the_whole_picture(width: int, height: int) -> None:
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    size = thumbnail_size((width, height), 200)
    assert max(size) <= 200 and min(size) >= 1
    made = Image.open(io.BytesIO(encode_thumbnail(Picture(image), 200)))
    assert made.size == size
    least = 6 if min(size) > 3 else 12  # one row of a gradient: the filters weigh its few pixels otherwise
    assert np.abs(np.asarray(made, dtype=int) - np.asarray(image.resize(size, 3), dtype=int)).mean() < least


def test_a_thumbnail_of_a_picture_decoded_smaller_has_the_files_shape() -> None:
    made = encode_thumbnail(Picture(np.zeros((300, 401, 3), np.uint8), (801, 599)), 256)
    assert Image.open(io.BytesIO(made)).size == thumbnail_size((801, 599), 256)
