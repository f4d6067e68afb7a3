"""Pillow's `resize(box=…)` of many pictures as two kernels (Triton): `resampling.resample` in a hundredth of its calls.

What a thread asks a GPU for takes it the same time whatever it is, and many threads ask. Here every output pixel sums
the few inputs under its filter, from wherever its picture lies; nothing is copied together before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import triton
import triton.language as tl
from jaxtyping import Float, Int32, Int64, UInt8
from torch import Tensor

from sae_core.encoder.preprocessing import Frame
from sae_core.encoder.resampling import Wanted, columns_first, on_device

_BLOCK = 1_024
_FACTS = 14  # columns of the table below


@triton.jit  # type: ignore[untyped-decorator]
def _along_one_axis(table, radius: tl.constexpr, block: tl.constexpr, n_facts: tl.constexpr):  # type: ignore[no-untyped-def]
    """Resamples one axis of the picture that the second program id says, a block of output pixels a program."""
    row = table + tl.program_id(1) * n_facts
    n_in, n_out, n_other = tl.load(row).to(tl.int32), tl.load(row + 1).to(tl.int32), tl.load(row + 2).to(tl.int32)
    axis_is_inner = tl.load(row + 3) != 0
    source, target = tl.load(row + 4).to(tl.pointer_type(tl.uint8)), tl.load(row + 5).to(tl.pointer_type(tl.uint8))
    low = tl.load(row + 6).to(tl.int32).to(tl.float32, bitcast=True)
    scale = tl.load(row + 7).to(tl.int32).to(tl.float32, bitcast=True)

    place = tl.program_id(0) * block + tl.arange(0, block)
    here = place < 3 * n_out * n_other
    n_inner, n_outer = tl.where(axis_is_inner, n_out, n_other), tl.where(axis_is_inner, n_other, n_out)
    inner, line = place % n_inner, place // n_inner
    outer, channel = line % n_outer, line // n_outer
    axis, other = tl.where(axis_is_inner, inner, outer), tl.where(axis_is_inner, outer, inner)

    stretch = tl.where(scale > 1.0, scale, 1.0)
    narrow = 1.0 / stretch
    centre = low + (axis + 0.5) * scale
    first = (centre - radius * stretch + 0.5).to(tl.int32)
    first = tl.where(first > 0, first, 0)
    last = (centre + radius * stretch + 0.5).to(tl.int32)
    last = tl.where(last < n_in, last, n_in)
    step = tl.load(row + 8)
    inputs = source + first * step + other * tl.load(row + 9) + channel * tl.load(row + 10)

    total = tl.zeros([block], dtype=tl.float32)
    value = tl.zeros([block], dtype=tl.float32)
    for tap in range(0, (2 * radius * stretch).to(tl.int32) + 2):
        inside = here & (first + tap < last)
        x = tl.abs((first + tap + 0.5 - centre) * narrow)
        if radius == 2:  # Keys' cubic with Pillow's a = -0.5
            weight = tl.where(
                x < 1.0,
                (1.5 * x - 2.5) * x * x + 1.0,
                tl.where(x < 2.0, (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5, 0.0),
            )
        else:
            weight = tl.where(x < 1.0, 1.0 - x, 0.0)
        weight = tl.where(inside, weight, 0.0)
        total += weight
        value += weight * tl.load(inputs + tap * step, mask=inside, other=0).to(tl.float32)
    level = value / tl.where(total != 0.0, total, 1.0) + 0.5
    level = tl.where(level < 0.0, 0.0, tl.where(level > 255.0, 255.0, level))
    outputs = target + axis * tl.load(row + 11) + other * tl.load(row + 12) + channel * tl.load(row + 13)
    tl.store(outputs, level.to(tl.uint8), mask=here)


def resample(pictures: Sequence[UInt8[Tensor, "3 height width"]], wanted: Sequence[Wanted]) -> None:
    """Writes each picture's frames into the outputs that want them, all on one GPU, which is not waited for.

    The pictures must live until it has happened.
    """
    for want in wanted:
        steps, between = _steps(pictures, want)
        tables = on_device(np.stack(steps), want.out.device)
        for step, table in zip(steps, tables, strict=True):
            most = int((3 * step[:, 1] * step[:, 2]).max())
            radius = {"bicubic": 2, "bilinear": 1}[want.interpolation]
            _along_one_axis[(-(-most // _BLOCK), len(pictures))](table, radius, _BLOCK, _FACTS)
        del between  # its memory is the stream's next work's, which comes after this


def _steps(
    pictures: Sequence[Tensor], want: Wanted
) -> tuple[list[Int64[np.ndarray, "n 14"]], UInt8[Tensor, "n_bytes"]]:
    """Tables of the two passes, and what the first of them writes and the second reads."""
    sizes = np.array([picture.shape[:0:-1] for picture in pictures])  # width, height
    frames, after = want.frames, np.array([frame.size for frame in want.frames])
    order = columns_first(sizes, after)
    middle = np.where(order[:, None], np.stack([sizes[:, 0], after[:, 1]], 1), np.stack([after[:, 0], sizes[:, 1]], 1))
    ends = np.cumsum(3 * middle.prod(axis=1))
    between = torch.empty(int(ends[-1]), dtype=torch.uint8, device=want.out.device)
    starts = between.data_ptr() + ends - 3 * middle.prod(axis=1)
    given = np.array([picture.data_ptr() for picture in pictures])
    asked = want.out.data_ptr() + np.arange(len(pictures)) * want.out.stride(0)
    into = np.broadcast_to([want.out.stride(2), want.out.stride(1), want.out.stride(3)], (len(pictures), 3))
    first = _table(order.astype(int), frames, sizes, given, _planar(sizes), middle, starts, _planar(middle))
    second = _table(1 - order, frames, middle, starts, _planar(middle), after, asked, into)
    return [first, second], between


def _planar(sizes: Int64[np.ndarray, "n 2"]) -> Int64[np.ndarray, "n 3"]:
    """Bytes between neighbours across, down and from one colour to the next."""
    return np.stack([np.ones_like(sizes[:, 0]), sizes[:, 0], sizes.prod(axis=1)], axis=1)


def _table(
    axis: Int64[np.ndarray, "n"],  # 0: along rows, 1: along columns
    frames: Sequence[Frame],
    sizes: Int64[np.ndarray, "n 2"],
    sources: Int64[np.ndarray, "n"],  # addresses
    strides: Int64[np.ndarray, "n 3"],
    made: Int64[np.ndarray, "n 2"],
    targets: Int64[np.ndarray, "n"],
    target_strides: Int64[np.ndarray, "n 3"],
) -> Int64[np.ndarray, "n 14"]:
    """One pass over every picture, as the kernel reads it."""
    rows, boxes = np.arange(len(axis)), np.array([frame.box for frame in frames])
    low, n_out = boxes[rows, axis], made[rows, axis]
    table = np.empty((len(axis), _FACTS), dtype=np.int64)
    table[:, 0], table[:, 1], table[:, 2], table[:, 3] = sizes[rows, axis], n_out, made[rows, 1 - axis], axis == 0
    table[:, 4], table[:, 5], table[:, 6] = sources, targets, _bits(low)
    table[:, 7] = _bits((boxes[rows, axis + 2] - low) / n_out)
    for column, of in ((8, strides), (11, target_strides)):
        table[:, column], table[:, column + 1], table[:, column + 2] = of[rows, axis], of[rows, 1 - axis], of[:, 2]
    return table


def _bits(values: Float[np.ndarray, "n"]) -> Int32[np.ndarray, "n"]:
    return values.astype(np.float32).view(np.int32)
