"""Cells and windows, against loops over pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sae_core.heatmaps import Grid, grid_of


def test_an_encoder_of_224_pixels_has_windows_of_a_seventh_that_move_by_half_of_it() -> None:
    grid = grid_of(224)
    assert (grid.n_cells, grid.n_windows) == (14, 169)
    assert set(np.diff(grid.edges)) == {16}
    assert grid.window * 16 == 224 // 7


@given(crop=st.integers(1, 60), data=st.data())
def test_cells_tile_the_picture(crop: int, data: st.DataObject) -> None:
    n_cells = data.draw(st.integers(1, crop))
    grid = Grid(crop, n_cells, window=1)
    values = np.random.default_rng(crop).normal(size=(crop, crop))
    pooled = grid.pool(values)
    assert pooled.shape == (n_cells, n_cells)
    assert pooled.sum() == pytest.approx(values.sum(), abs=1e-9)
    assert np.diff(grid.edges).max() - np.diff(grid.edges).min() <= 1
    row, column = data.draw(st.integers(0, n_cells - 1)), data.draw(st.integers(0, n_cells - 1))
    cells = np.zeros((n_cells, n_cells), dtype=bool)
    cells[row, column] = True
    assert values[grid.pixels(cells)].sum() == pytest.approx(pooled[row, column], abs=1e-9)


def test_a_cells_sum_is_over_the_windows_that_cover_it() -> None:
    grid = Grid(crop=9, n_cells=3, window=2)  # windows at (0, 0), (0, 1), (1, 0), (1, 1)
    sums, counts = grid.cover(np.array([1.0, 10.0, 100.0, 1000.0]))
    np.testing.assert_array_equal(sums, [[1, 11, 10], [101, 1111, 1010], [100, 1100, 1000]])
    np.testing.assert_array_equal(counts, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def test_crops_smaller_than_the_grid_have_a_cell_a_pixel() -> None:
    assert grid_of(8).n_cells == 8
    assert grid_of(1).n_windows == 1
    with pytest.raises(ValueError, match="cells"):
        Grid(crop=4, n_cells=5)
