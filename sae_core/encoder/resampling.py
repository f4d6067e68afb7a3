"""Pillow's `resize(box=…)` of many pictures at once, on any device: two products with matrices of filter weights.

An output pixel is the weighted mean of the input pixels around its centre, along rows and along columns, each rounded
to whole grey levels; a filter is stretched where pictures shrink (Pillow, src/libImaging/Resample.c). Pictures of
several sizes stand at the top left of one canvas; what is beyond them has weight 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64, Shaped, UInt8
from torch import Tensor

from sae_core.encoder.preprocessing import Frame
from sae_core.resizing import Interpolation

_CANVAS = 2**25  # pixels of a canvas, or one picture


class Wanted(NamedTuple):
    """What is made of every picture, and where it is put."""

    frames: Sequence[Frame]
    interpolation: Interpolation
    out: UInt8[Tensor, "n most_high most_wide 3"]  # each at the top left; beyond it nothing is said


def resample(pictures: Sequence[UInt8[Tensor, "3 height width"]], wanted: Sequence[Wanted]) -> None:
    """Writes each picture's frames into the outputs that want them. A GPU is only asked to: it is not waited for."""
    sizes = [(picture.shape[2], picture.shape[1]) for picture in pictures]
    for chosen in _canvases(sizes):
        canvas, of = _on_a_canvas([pictures[i] for i in chosen]), [sizes[i] for i in chosen]
        for frames, interpolation, out in wanted:
            made = resampled(canvas, of, [frames[i] for i in chosen], interpolation).permute(0, 2, 3, 1)
            out[on_device(np.array(chosen), out.device), : made.shape[1], : made.shape[2]] = made


def resampled(
    canvas: Shaped[Tensor, "n channels height width"],  # grey levels, 0 … 255: uint8, or halves on a GPU
    sizes: Sequence[tuple[int, int]],  # width, height of each picture on the canvas
    frames: Sequence[Frame],
    interpolation: Interpolation,
) -> UInt8[Tensor, "n channels most_high most_wide"]:
    """Each picture's frame, at the top left of a canvas as large as the largest of them; the rest is 0."""
    most = [max(frame.size[axis] for frame in frames) for axis in (0, 1)]
    facts = [on_device(_facts(axis, sizes, frames, most[axis]), canvas.device) for axis in (0, 1)]
    across, down = (_weights(facts[axis], canvas.shape[3 - axis], interpolation) for axis in (0, 1))
    columns = columns_first(np.array(sizes), np.array([frame.size for frame in frames]))
    if columns.all() or not columns.any():
        return _both(canvas, across, down, bool(columns[0]))
    made = canvas.new_empty((*canvas.shape[:2], most[1], most[0]), dtype=torch.uint8)
    for first in (False, True):
        chosen = on_device(np.flatnonzero(columns == first), canvas.device)
        made[chosen] = _both(canvas[chosen], across[chosen], down[chosen], first)
    return made


def columns_first(before: Int64[np.ndarray, "n 2"], after: Int64[np.ndarray, "n 2"]) -> Bool[np.ndarray, "n"]:
    """Of widths and heights, whether Pillow resamples columns first: where much more height than width is lost."""
    lost_width, lost_height = (before - after).T
    return np.asarray(lost_height > np.maximum(0, 2 * lost_width))


def on_device(values: np.ndarray, device: torch.device) -> Tensor:
    """A copy of small numbers on a device, without waiting for what that device still has to do."""
    there = torch.from_numpy(values)
    return there.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else there


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


def _on_a_canvas(pictures: Sequence[Tensor]) -> Shaped[Tensor, "n 3 most_high most_wide"]:
    """Each at the top left, on a GPU in halves, as both products take them; beyond them it is 0."""
    working = torch.half if pictures[0].is_cuda else torch.uint8
    if len({picture.shape for picture in pictures}) == 1:
        return torch.stack(list(pictures)).to(working)
    high, wide = (max(picture.shape[axis] for picture in pictures) for axis in (1, 2))
    canvas = pictures[0].new_zeros((len(pictures), 3, high, wide), dtype=working)
    for place, picture in zip(canvas, pictures, strict=True):
        place[:, : picture.shape[1], : picture.shape[2]] = picture
    return canvas


def _both(pixels: Tensor, across: Tensor, down: Tensor, columns_first: bool) -> Tensor:
    if columns_first:
        return _along_rows(_along_columns(pixels, down), across)
    return _along_columns(_along_rows(pixels, across), down)


def _along_rows(pixels: Tensor, weights: Float[Tensor, "n out in"]) -> UInt8[Tensor, "n channels height out"]:
    n, channels, height, _ = pixels.shape
    return _levels(_product(pixels.flatten(1, 2), weights.transpose(1, 2))).view(n, channels, height, -1)


def _along_columns(pixels: Tensor, weights: Float[Tensor, "n out in"]) -> UInt8[Tensor, "n channels out width"]:
    n, channels, _, width = pixels.shape
    of_channels = weights.unsqueeze(1).expand(-1, channels, -1, -1).flatten(0, 1)
    return _levels(_product(of_channels, pixels.flatten(0, 1))).view(n, channels, -1, width)


def _facts(
    axis: int, sizes: Sequence[tuple[int, int]], frames: Sequence[Frame], most_out: int
) -> Float32[np.ndarray, "n out 4"]:
    """Of each output pixel along width (0) or height (1): its place in the input, its filter's stretch, the input's
    length, and whether it is the picture's own."""
    boxes, places = np.array([frame.box for frame in frames]), np.arange(most_out)
    n_out = np.array([frame.size[axis] for frame in frames])
    low, scale = boxes[:, axis], (boxes[:, axis + 2] - boxes[:, axis]) / n_out
    facts = np.empty((len(n_out), most_out, 4), dtype=np.float32)
    facts[..., 0] = low[:, None] + (places + 0.5) * scale[:, None]
    facts[..., 1] = np.maximum(scale, 1)[:, None]
    facts[..., 2] = np.array([size[axis] for size in sizes])[:, None]
    facts[..., 3] = places < n_out[:, None]
    return facts


def _weights(facts: Float[Tensor, "n out 4"], n_in: int, interpolation: Interpolation) -> Float[Tensor, "n out in"]:
    """Weights along one axis; rows sum to 1, those beyond a picture's own output to 0."""
    centre, stretch, length, wanted = facts[..., None, :].unbind(-1)
    inputs = torch.arange(n_in, device=facts.device)
    weights = _KERNELS[interpolation]((inputs + 0.5 - centre) / stretch) * (inputs < length)
    total = weights.sum(-1, keepdim=True)
    return weights * (wanted / total.where(total != 0, 1.0))


def _bicubic(x: Tensor, a: float = -0.5) -> Tensor:
    """Keys' cubic with Pillow's a."""
    x = x.abs()
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))


def _bilinear(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


_KERNELS: dict[str, Callable[[Tensor], Tensor]] = {"bicubic": _bicubic, "bilinear": _bilinear}


def _product(a: Tensor, b: Tensor) -> Float32[Tensor, "..."]:
    """a @ b. On a GPU from halves, which hold every grey level, and weights to a 4,096th of their size."""
    if a.is_cuda:
        return torch.bmm(a.half(), b.half(), out_dtype=torch.float32)
    return torch.bmm(a.float(), b.float())


def _levels(values: Tensor) -> UInt8[Tensor, "..."]:
    return values.add_(0.5).clamp_(0, 255).to(torch.uint8)
