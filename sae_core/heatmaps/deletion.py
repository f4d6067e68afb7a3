"""Deletion (Petsiuk, Das and Saenko, arXiv 1806.07421): remove cells in some order and watch the pre-activation fall.

The earlier it falls, the better the order found the pixels that matter: the area under the curve is small. It means
something only beside other orders: random ones, and from the centre outwards, since that is where pictures have
their subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8

from sae_core.encoder.clip import ClipEncoder
from sae_core.heatmaps.grid import Grid

STEPS = 14


class DeletionCurve(NamedTuple):
    """The pre-activation as cells go, from the whole picture to the mean colour alone."""

    removed: Float[np.ndarray, "n_steps+1"]  # share of the cells, 0 … 1
    pre_activations: Float[np.ndarray, "n_steps+1"]

    @property
    def area(self) -> float:
        """Area under the curve (trapezoids): the mean pre-activation on the way; smaller is better."""
        return float(np.trapezoid(self.pre_activations, self.removed))


def map_order(values: Float[np.ndarray, "n_cells n_cells"]) -> Int64[np.ndarray, "n_cells*n_cells"]:
    """Cells by falling value, row by row where equal."""
    return np.argsort(-values.reshape(-1), kind="stable")


def random_order(grid: Grid, seed: int) -> Int64[np.ndarray, "n_cells*n_cells"]:
    """All cells, shuffled."""
    return np.random.default_rng(seed).permutation(grid.n_cells**2)


def centre_order(grid: Grid) -> Int64[np.ndarray, "n_cells*n_cells"]:
    """Cells by their distance from the picture's centre."""
    along = np.arange(grid.n_cells) - (grid.n_cells - 1) / 2
    return map_order(-(along[:, None] ** 2 + along**2))


def deletion_curves(
    encoder: ClipEncoder,
    pixels: UInt8[np.ndarray, "crop crop 3"],
    orders: Iterable[Int64[np.ndarray, "n_cells*n_cells"]],
    weight: Float[np.ndarray, "d_embed"],
    bias: float,
    grid: Grid,
    steps: int = STEPS,
) -> Iterator[DeletionCurve]:
    """A curve for each order, one after the other; `weight` and `bias` are the latent's, of the SAE's encoder."""
    counts = np.arange(steps + 1) * grid.n_cells**2 // steps
    fill = encoder.preprocessing.mean_colour
    column = weight.astype(np.float64)

    def scores(pictures: UInt8[np.ndarray, "b crop crop 3"]) -> Float[np.ndarray, "b"]:
        return encoder.encode_pixels(torch.from_numpy(pictures)).numpy().astype(np.float64) @ column + bias

    # Every order begins with the whole picture and ends with none of it.
    first, last = scores(np.stack([pixels, np.broadcast_to(fill, pixels.shape)]))
    for order in orders:
        between = scores(_without(pixels, order, counts[1:-1], grid, fill)) if steps > 1 else np.empty(0)
        yield DeletionCurve(counts / grid.n_cells**2, np.concatenate([[first], between, [last]]))


def _without(
    pixels: UInt8[np.ndarray, "crop crop 3"],
    order: Int64[np.ndarray, "n_cells*n_cells"],
    counts: Int64[np.ndarray, "b"],
    grid: Grid,
    fill: UInt8[np.ndarray, "3"],
) -> UInt8[np.ndarray, "b crop crop 3"]:
    """The picture without its first cells, for each count."""
    rank = np.empty(grid.n_cells**2, dtype=np.int64)
    rank[order] = np.arange(len(order))
    gone = [grid.pixels((rank < count).reshape(grid.n_cells, grid.n_cells)) for count in counts]
    return np.where(np.stack(gone)[..., None], fill, pixels)
