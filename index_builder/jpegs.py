"""JPEGs that a GPU decodes (nvJPEG through torchvision), crops and shrinks, many at once.

Only plain ones: what else there is (other formats, progressive files, turned ones, four colours, damaged ones) is
decoded in the worker processes, as everything is without `--decode gpu`. nvJPEG repeats a colour sample over the pixels
that share it, where libjpeg interpolates: docs/performance.md says what that costs.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor
from torchvision.io import ImageReadMode, decode_jpeg

from sae_core.encoder.preprocessing import Frame, Preprocessing
from sae_core.encoder.resampling import Wanted, resample
from sae_core.jpegs import is_plain, is_sound
from sae_core.thumbnails import thumbnail_size

MOST_SIDE = 4_096  # pixels; larger pictures are the workers'
_START, _END = b"\xff\xd8", b"\xff\xd9"
_SCAN = b"\xff\xda\x00\x0c\x03"  # a scan of three colours: its marker, its header's length, their number
_SCAN_HEADER = 14  # bytes, with the marker


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
    resample: Callable[[Sequence[Tensor], Sequence[Wanted]], None] = resample

    def __call__(self, coded: Sequence[Tensor]) -> Made:
        """Of their bytes. Raises RuntimeError where one of them cannot be decoded; which one is not said."""
        return self.shrink(decode(coded, self.device))

    def shrink(self, decoded: Sequence[UInt8[Tensor, "3 height width"]]) -> Made:
        """Of decoded ones on the GPU, which is not waited for; they must live until it has happened."""
        sizes = [(picture.shape[2], picture.shape[1]) for picture in decoded]
        crops = self._empty(len(decoded), self.preprocessing.crop)
        seen = {size: self.preprocessing.frame(*size) for size in set(sizes)}
        frames = [seen[size] for size in sizes]
        wanted = [Wanted(frames, self.preprocessing.interpolation, crops)]
        small_sizes = [thumbnail_size(size, self.thumbnail_side) for size in sizes] if self.thumbnail_side else []
        small = self._empty(len(decoded), self.thumbnail_side) if self.thumbnail_side else None
        if small is not None:
            whole = [Frame((0, 0, *size), made) for size, made in zip(sizes, small_sizes, strict=True)]
            wanted.append(Wanted(whole, "bicubic", small))
        self.resample(decoded, wanted)
        return Made(crops, small, small_sizes)

    def _empty(self, n: int, side: int) -> UInt8[Tensor, "n side side 3"]:
        return torch.empty(n, side, side, 3, dtype=torch.uint8, device=self.device)


def decode(coded: Sequence[Tensor], device: torch.device) -> list[UInt8[Tensor, "3 height width"]]:
    """Decoded JPEGs on a device."""
    return list(decode_jpeg(list(coded), mode=ImageReadMode.RGB, device=device))


def plain_size(data: bytes, preprocessing: Preprocessing) -> tuple[int, int] | None:
    """Width and height of a sound baseline JPEG in colour, upright, of a size that the GPU takes; None of all else."""
    if not data.startswith(_START) or not data.endswith(_END):
        return None
    try:
        file = io.BytesIO(data)
        image = Image.open(file, formats=("JPEG",))  # reads up to the picture's first scan
        scan = file.tell() - _SCAN_HEADER
        whole_scan = scan >= 0 and data.startswith(_SCAN, scan)  # all colours in one, so there is no other
        baseline = "progressive" not in image.info and image.info.get("adobe_transform", 1) == 1
        plain = whole_scan and baseline and is_plain(image)
    except Exception:  # the workers' decoder says what is wrong with it
        return None
    whole = preprocessing.frame(*image.size).size == (preprocessing.crop, preprocessing.crop)
    # nvJPEG says nothing of data that end too early: below their end it leaves what another picture left there.
    return image.size if plain and whole and max(image.size) <= MOST_SIDE and is_sound(data) else None
