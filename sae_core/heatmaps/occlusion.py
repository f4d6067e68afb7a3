"""Occlusion (Zeiler and Fergus, arXiv 1311.2901): hide a window of the picture, encode, and see what changes.

    map(cell) = mean over windows w that cover the cell of  f(p) - f(p without w)

Nothing is asked of the encoder but embeddings, so it works for every one; and since f is linear in the embedding, the
embeddings of the occluded pictures give the map of any latent.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8

from sae_core.encoder.clip import ClipEncoder
from sae_core.heatmaps.grid import Grid

BATCH = 8  # pictures between two signs of life: a fraction of a second for a small encoder on a CPU


def occluded_embeddings(
    encoder: ClipEncoder, pixels: UInt8[np.ndarray, "crop crop 3"], grid: Grid, batch_size: int = BATCH
) -> Iterator[Float32[np.ndarray, "b d_embed"]]:
    """Unit embeddings of the picture without each window, in batches; together `[n_windows, d_embed]`.

    A caller that stops asking stops the encoding.
    """
    windows = grid.windows()
    for start in range(0, len(windows), batch_size):
        batch = _occluded(pixels, grid, windows[start : start + batch_size], encoder.preprocessing.mean_colour)
        yield encoder.encode_pixels(torch.from_numpy(batch)).numpy()


def occlusion_map(
    whole: Float32[np.ndarray, "d_embed"],
    occluded: Float32[np.ndarray, "n_windows d_embed"],
    weight: Float[np.ndarray, "d_embed"],
    grid: Grid,
) -> Float[np.ndarray, "n_cells n_cells"]:
    """Signed change of the pre-activation: positive where hiding lowers it. `weight` is the latent's W_enc column."""
    drops = (whole.astype(np.float64) - occluded) @ weight.astype(np.float64)
    sums, counts = grid.cover(drops)
    return np.asarray(sums / counts)


def _occluded(
    pixels: UInt8[np.ndarray, "crop crop 3"], grid: Grid, windows: np.ndarray, fill: np.ndarray
) -> UInt8[np.ndarray, "b crop crop 3"]:
    batch = np.repeat(pixels[None], len(windows), axis=0)
    edges = grid.edges
    for picture, (row, column) in zip(batch, windows, strict=True):
        picture[edges[row] : edges[row + grid.window], edges[column] : edges[column + grid.window]] = fill
    return batch
