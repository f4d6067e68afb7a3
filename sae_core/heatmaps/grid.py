"""The cells of a heat map, and the windows of occlusion that slide over them by one cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

N_CELLS = 14  # along a side: a window of 2 x 2 cells is a seventh of the picture wide and moves by half of that


@dataclass(frozen=True)
class Grid:
    """A square picture in `n_cells` x `n_cells` cells, as even as whole pixels allow."""

    crop: int  # pixels along a side
    n_cells: int = N_CELLS  # along a side
    window: int = 2  # cells along a side of a window

    def __post_init__(self) -> None:
        if not 1 <= self.window <= self.n_cells <= self.crop:
            raise ValueError(f"1 <= window <= cells <= pixels, not {self.window}, {self.n_cells}, {self.crop}")

    @property
    def edges(self) -> Int64[np.ndarray, "n_cells+1"]:
        """Where cells begin, in pixels, and where the last one ends."""
        return np.arange(self.n_cells + 1) * self.crop // self.n_cells

    @property
    def n_windows(self) -> int:
        """All places of a window that lie inside the picture."""
        return (self.n_cells - self.window + 1) ** 2

    def windows(self) -> Int64[np.ndarray, "n_windows 2"]:
        """Row and column of each window's first cell, row by row."""
        along = np.arange(self.n_cells - self.window + 1)
        return np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1).reshape(-1, 2)

    def cover(
        self, values: Float[np.ndarray, "n_windows"]
    ) -> tuple[Float[np.ndarray, "n_cells n_cells"], Int64[np.ndarray, "n_cells n_cells"]]:
        """Per cell, the sum over the windows that cover it, and how many do."""
        sums = np.zeros((self.n_cells, self.n_cells))
        counts = np.zeros((self.n_cells, self.n_cells), dtype=np.int64)
        for (row, column), value in zip(self.windows(), values, strict=True):
            sums[row : row + self.window, column : column + self.window] += value
            counts[row : row + self.window, column : column + self.window] += 1
        return sums, counts

    def pool(self, values: Float[np.ndarray, "crop crop"]) -> Float[np.ndarray, "n_cells n_cells"]:
        """Sums over the pixels of each cell."""
        starts = self.edges[:-1]
        return np.add.reduceat(np.add.reduceat(values, starts, axis=0), starts, axis=1)

    def pixels(self, cells: Bool[np.ndarray, "n_cells n_cells"]) -> Bool[np.ndarray, "crop crop"]:
        """The pixels of the chosen cells."""
        sides = np.diff(self.edges)
        return np.repeat(np.repeat(cells, sides, axis=0), sides, axis=1)


def grid_of(crop: int) -> Grid:
    """The grid for an encoder's crop; very small crops have fewer cells."""
    n_cells = min(N_CELLS, crop)
    return Grid(crop, n_cells, min(2, n_cells))
