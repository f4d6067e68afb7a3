"""Pillow's `resize(box=…)` of many pictures at once, on any device: two products with matrices of filter weights.

An output pixel is the weighted mean of the input pixels around its centre, along rows and along columns, each rounded
to whole grey levels; a filter is stretched where pictures shrink (Pillow, src/libImaging/Resample.c). Pictures of
several sizes stand at the top left of one canvas; what is beyond them has weight 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from sae_core.encoder.preprocessing import Frame


def resampled(
    canvas: UInt8[Tensor, "n channels height width"],
    sizes: Sequence[tuple[int, int]],  # width, height of each picture on the canvas
    frames: Sequence[Frame],
    interpolation: str,
) -> UInt8[Tensor, "n channels most_high most_wide"]:
    """Each picture's frame, at the top left of a canvas as large as the largest of them; the rest is 0."""
    most = tuple(max(frame.size[axis] for frame in frames) for axis in (0, 1))
    across, down = (_weights_along(axis, canvas, sizes, frames, most[axis], interpolation) for axis in (0, 1))
    columns_first = [_columns_first(size, frame) for size, frame in zip(sizes, frames, strict=True)]
    if len(set(columns_first)) == 1:
        return _both(canvas, across, down, columns_first[0])
    made = canvas.new_empty((*canvas.shape[:2], most[1], most[0]))
    for first in (False, True):
        chosen = torch.tensor([turn == first for turn in columns_first], device=canvas.device)
        made[chosen] = _both(canvas[chosen], across[chosen], down[chosen], first)
    return made


def _both(pixels: Tensor, across: Tensor, down: Tensor, columns_first: bool) -> Tensor:
    if columns_first:
        return _along_rows(_along_columns(pixels, down), across)
    return _along_columns(_along_rows(pixels, across), down)


def _columns_first(size: tuple[int, int], frame: Frame) -> bool:
    """Whether Pillow resamples columns first: where much more height than width is lost."""
    lost_width, lost_height = (before - after for before, after in zip(size, frame.size, strict=True))
    return lost_height > max(0, 2 * lost_width)


def _along_rows(pixels: Tensor, weights: Float[Tensor, "n out in"]) -> UInt8[Tensor, "n channels height out"]:
    n, channels, height, _ = pixels.shape
    return _levels(_product(pixels.flatten(1, 2), weights.transpose(1, 2))).view(n, channels, height, -1)


def _along_columns(pixels: Tensor, weights: Float[Tensor, "n out in"]) -> UInt8[Tensor, "n channels out width"]:
    n, channels, _, width = pixels.shape
    of_channels = weights.unsqueeze(1).expand(-1, channels, -1, -1).flatten(0, 1)
    return _levels(_product(of_channels, pixels.flatten(0, 1))).view(n, channels, -1, width)


def _weights_along(
    axis: int,
    canvas: Tensor,
    sizes: Sequence[tuple[int, int]],
    frames: Sequence[Frame],
    most_out: int,
    interpolation: str,
) -> Float[Tensor, "n out in"]:
    """Of each picture, for its width (0) or height (1)."""
    return _weights(
        [frame.box[axis] for frame in frames],
        [frame.box[axis + 2] for frame in frames],
        [frame.size[axis] for frame in frames],
        [size[axis] for size in sizes],
        (most_out, canvas.shape[3 - axis]),
        _KERNELS[interpolation],
        canvas.device,
    )


def _weights(
    low: list[float],
    high: list[float],
    n_out: list[int],
    n_in: list[int],
    most: tuple[int, int],  # the canvases' sides: out, in
    kernel: Callable[[Tensor], Tensor],
    device: torch.device,
) -> Float[Tensor, "n out in"]:
    """Weights along one axis; rows sum to 1, those beyond a picture's own output to 0."""
    starts, ends = torch.tensor(low, dtype=torch.float64), torch.tensor(high, dtype=torch.float64)
    scale = ((ends - starts) / torch.tensor(n_out))[:, None]
    places = torch.arange(most[0], dtype=torch.float64)
    centres = (starts[:, None] + (places + 0.5) * scale).float().to(device)
    stretch = scale.clamp(min=1).float().to(device)[..., None]
    inputs = torch.arange(most[1], device=device)
    weights = kernel((inputs + 0.5 - centres[..., None]) / stretch)
    weights = weights * (inputs < torch.tensor(n_in, device=device)[:, None])[:, None, :]
    wanted = torch.arange(most[0], device=device) < torch.tensor(n_out, device=device)[:, None]
    total = weights.sum(-1, keepdim=True)
    return torch.where(wanted[..., None], weights / total.where(total != 0, torch.ones_like(total)), 0.0)


def _bicubic(x: Tensor, a: float = -0.5) -> Tensor:
    """Keys' cubic with Pillow's a."""
    x = x.abs()
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))


def _bilinear(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


_KERNELS: dict[str, Callable[[Tensor], Tensor]] = {"bicubic": _bicubic, "bilinear": _bilinear}


def _product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b in float32. On a GPU from halves, which hold every grey level, and weights to a 4,096th of their size."""
    if a.is_cuda:
        return torch.bmm(a.half(), b.half(), out_dtype=torch.float32)
    return torch.bmm(a.float(), b.float())


def _levels(values: Tensor) -> UInt8[Tensor, "..."]:
    return values.add_(0.5).clamp_(0, 255).to(torch.uint8)
