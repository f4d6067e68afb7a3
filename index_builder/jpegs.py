"""JPEGs that a GPU decodes (nvJPEG through torchvision), crops and shrinks, many at once.

Only plain ones: what else there is (other formats, progressive files, turned ones, four colours) is decoded in the
worker processes, as everything is without `--decode gpu`. nvJPEG repeats a colour sample over the pixels that share it,
where libjpeg interpolates: docs/performance.md says what that costs.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor
from torchvision.io import ImageReadMode, decode_jpeg

from sae_core.encoder.preprocessing import Frame, Preprocessing
from sae_core.encoder.resampling import resampled
from sae_core.jpegs import is_plain
from sae_core.thumbnails import thumbnail_size

MOST_SIDE = 4_096  # pixels; larger pictures are the workers'
_CANVAS = 2**25  # pixels of a canvas, or one picture
_START, _END, _SCAN = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"


class Made(NamedTuple):
    """What the GPU made of a batch, on the GPU."""

    crops: UInt8[Tensor, "n crop crop 3"]  # as `Preprocessing.crop_pixels` gives them
    small: UInt8[Tensor, "n side side 3"] | None  # thumbnails, each at the top left; None: none are wanted
    small_sizes: list[tuple[int, int]]  # their widths and heights


@dataclass(frozen=True)
class JpegStage:
    """Crops and thumbnails of a batch of plain JPEGs."""

    preprocessing: Preprocessing
    thumbnail_side: int  # 0: none
    device: torch.device

    def __call__(self, coded: Sequence[Tensor]) -> Made:
        """Decodes. Raises RuntimeError where one of them cannot be; which one is not said."""
        decoded = decode(coded, self.device)
        sizes = [(picture.shape[2], picture.shape[1]) for picture in decoded]
        frames = [self.preprocessing.frame(*size) for size in sizes]
        crop, side = self.preprocessing.crop, self.thumbnail_side
        crops = torch.empty(len(decoded), crop, crop, 3, dtype=torch.uint8, device=self.device)
        small = torch.empty(len(decoded), side, side, 3, dtype=torch.uint8, device=self.device) if side else None
        small_sizes = [thumbnail_size(size, side) for size in sizes] if side else []
        for chosen in _canvases(sizes):
            canvas, of = _on_a_canvas([decoded[i] for i in chosen]), [sizes[i] for i in chosen]
            seen = resampled(canvas, of, [frames[i] for i in chosen], self.preprocessing.interpolation)
            crops[chosen] = seen.permute(0, 2, 3, 1)
            if small is not None:
                wanted = [Frame((0, 0, *sizes[i]), small_sizes[i]) for i in chosen]
                shrunk = resampled(canvas, of, wanted, "bicubic").permute(0, 2, 3, 1)
                small[chosen, : shrunk.shape[1], : shrunk.shape[2]] = shrunk
        return Made(crops, small, small_sizes)


def decode(coded: Sequence[Tensor], device: torch.device) -> list[UInt8[Tensor, "3 height width"]]:
    """Decoded JPEGs on a device."""
    return list(decode_jpeg(list(coded), mode=ImageReadMode.RGB, device=device))


def plain_size(data: bytes, preprocessing: Preprocessing) -> tuple[int, int] | None:
    """Width and height of a whole baseline JPEG in colour, upright, of a size that the GPU takes; None of all else."""
    if not data.startswith(_START) or not data.endswith(_END) or data.count(_SCAN) != 1:
        return None
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
        baseline = "progressive" not in image.info and image.info.get("adobe_transform", 1) == 1
        plain = baseline and is_plain(image)
    except Exception:  # the workers' decoder says what is wrong with it
        return None
    whole = preprocessing.frame(*image.size).size == (preprocessing.crop, preprocessing.crop)
    return image.size if plain and whole and max(image.size) <= MOST_SIDE else None


def _canvases(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Which pictures share a canvas: those of like size, as many as it holds."""
    chosen: list[int] = []
    wide = high = 0
    for i in sorted(range(len(sizes)), key=lambda i: max(sizes[i])):
        wide, high = max(wide, sizes[i][0]), max(high, sizes[i][1])
        if chosen and (len(chosen) + 1) * wide * high > _CANVAS:
            yield chosen
            chosen, (wide, high) = [], sizes[i]
        chosen.append(i)
    if chosen:
        yield chosen


def _on_a_canvas(pictures: Sequence[Tensor]) -> UInt8[Tensor, "n 3 most_high most_wide"]:
    """Each at the top left; what is beyond them is left as it was."""
    high, wide = (max(picture.shape[axis] for picture in pictures) for axis in (1, 2))
    alike: dict[torch.Size, list[int]] = defaultdict(list)  # an operation a size: each of them costs Python's lock
    for i, picture in enumerate(pictures):
        alike[picture.shape].append(i)
    if len(alike) == 1:
        return torch.stack(list(pictures))
    canvas = pictures[0].new_empty((len(pictures), 3, high, wide))
    for shape, of_shape in alike.items():
        canvas[of_shape, :, : shape[1], : shape[2]] = torch.stack([pictures[i] for i in of_shape])
    return canvas
