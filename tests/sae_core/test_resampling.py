"""Resampling by matrices gives Pillow's pixels, whatever the sizes on one canvas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sae_core.encoder.preprocessing import Frame, Preprocessing
from sae_core.encoder.resampling import resampled

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def canvas_of(pictures: list[Image.Image]) -> torch.Tensor:
    """All pictures, with what no picture covers full of noise that must not be seen."""
    wide, high = max(p.width for p in pictures), max(p.height for p in pictures)
    canvas = np.random.default_rng(9).integers(0, 256, (len(pictures), 3, high, wide), dtype=np.uint8)
    for row, picture in zip(canvas, pictures, strict=True):
        row[:, : picture.height, : picture.width] = np.asarray(picture).transpose(2, 0, 1)
    return torch.from_numpy(canvas)


def differences(pictures: list[Image.Image], frames: list[Frame], interpolation: str) -> list[np.ndarray]:
    """Between ours and Pillow's, in grey levels."""
    made = resampled(canvas_of(pictures), [p.size for p in pictures], frames, interpolation).numpy()
    wanted = [
        np.asarray(p.resize(f.size, FILTERS[interpolation], box=f.box), dtype=int)
        for p, f in zip(pictures, frames, strict=True)
    ]
    return [
        np.abs(ours.transpose(1, 2, 0)[: theirs.shape[0], : theirs.shape[1]] - theirs)
        for ours, theirs in zip(made, wanted, strict=True)
    ]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(8, 300), st.integers(8, 300)), min_size=1, max_size=4), st.sampled_from([*FILTERS])
)
def test_crops_are_pillows(sizes: list[tuple[int, int]], interpolation: str) -> None:
    preprocessing = Preprocessing(resize=72, crop=64, mean=(0, 0, 0), std=(1, 1, 1))
    pictures = [noise(*size, seed) for seed, size in enumerate(sizes)]
    for off in differences(pictures, [preprocessing.frame(*size) for size in sizes], interpolation):
        # Where weights are simple fractions many values are halves, which Pillow's whole numbers round another way.
        assert off.max() <= 2 and off.mean() < 0.25


@pytest.mark.parametrize("interpolation", [*FILTERS])
def test_whole_pictures_of_several_sizes_shrink_grow_and_stay(interpolation: str) -> None:
    pictures = [noise(200, 90), noise(31, 250), noise(64, 64)]
    frames = [Frame((0, 0, *p.size), size) for p, size in zip(pictures, [(61, 27), (31, 250), (100, 130)], strict=True)]
    for off in differences(pictures, frames, interpolation):
        assert off.max() <= 2 and off.mean() < 0.05


def test_by_hand_a_row_of_four_pixels_halved_bilinearly() -> None:
    """Centres at 1 and 3, a triangle two pixels wide to each side: weights 3/4, 3/4 and 1/4, over their sum."""
    row = torch.tensor([[[[0, 100, 200, 40]]]], dtype=torch.uint8)
    made = resampled(row, [(4, 1)], [Frame((0, 0, 4, 1), (2, 1))], "bilinear")
    first = (0.75 * 0 + 0.75 * 100 + 0.25 * 200) / 1.75
    second = (0.25 * 100 + 0.75 * 200 + 0.75 * 40) / 1.75
    assert made.flatten().tolist() == [round(first), round(second)]


def test_what_lies_beyond_a_result_is_zero() -> None:
    pictures = [noise(40, 40), noise(20, 10)]
    frames = [Frame((0, 0, 40, 40), (30, 30)), Frame((0, 0, 20, 10), (12, 6))]
    made = resampled(canvas_of(pictures), [p.size for p in pictures], frames, "bicubic")
    assert made.shape == (2, 3, 30, 30) and made[1, :, 6:].sum() == made[1, :, :, 12:].sum() == 0
