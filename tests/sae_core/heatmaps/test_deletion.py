"""The deletion test against a loop over cells, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sae_core import ClipEncoder
from sae_core.heatmaps import DeletionCurve, Grid, centre_order, deletion_curves, grid_of, map_order, random_order
from tests.sae_core.heatmaps.conftest import SIDE, LinearEncoder

GRID = Grid(SIDE, n_cells=4, window=1)


def test_of_a_linear_encoder_every_cell_takes_its_share_away(
    linear: LinearEncoder, pixels: np.ndarray, weight: np.ndarray
) -> None:
    order = random_order(GRID, seed=1)
    curve = next(deletion_curves(linear, pixels, [order], weight, 0.7, GRID, steps=16))  # type: ignore[arg-type]
    plain = np.broadcast_to(linear.preprocessing.mean_colour, pixels.shape)
    nothing = float(np.asarray(linear.embed(_tensor(plain))[0].double()) @ weight.astype(np.float64)) + 0.7
    left = GRID.pool(linear.shares(pixels, weight)).reshape(-1)[order][::-1].cumsum()[::-1]
    np.testing.assert_allclose(curve.pre_activations, nothing + np.append(left, 0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(curve.removed, np.arange(17) / 16)


def test_the_right_order_beats_every_other(linear: LinearEncoder, pixels: np.ndarray, weight: np.ndarray) -> None:
    truth = GRID.pool(linear.shares(pixels, weight))
    orders = [map_order(truth), map_order(-truth), centre_order(GRID), *(random_order(GRID, s) for s in range(5))]
    areas = [c.area for c in deletion_curves(linear, pixels, orders, weight, 0.0, GRID, steps=8)]  # type: ignore[arg-type]
    assert areas[0] == min(areas) and areas[1] == max(areas)
    assert len(set(np.round(areas, 6))) == len(areas)


def test_the_area_by_hand() -> None:
    curve = DeletionCurve(np.array([0.0, 0.5, 1.0]), np.array([4.0, 2.0, -1.0]))
    assert curve.area == pytest.approx(0.5 * 3 + 0.5 * 0.5)


def test_cells_go_by_falling_value_and_equal_ones_in_reading_order() -> None:
    np.testing.assert_array_equal(map_order(np.array([[0.0, 2.0], [2.0, -1.0]])), [1, 2, 0, 3])


@given(n_cells=st.integers(1, 20), seed=st.integers(0, 99))
def test_orders_have_every_cell_once(n_cells: int, seed: int) -> None:
    grid = Grid(40, n_cells, window=1)
    for order in (random_order(grid, seed), centre_order(grid)):
        np.testing.assert_array_equal(np.sort(order), np.arange(n_cells**2))


def test_the_centre_goes_first_and_the_corners_last() -> None:
    order = centre_order(Grid(12, n_cells=4, window=1))
    assert set(order[:4]) == {5, 6, 9, 10}
    assert set(order[-4:]) == {0, 3, 12, 15}


def test_all_orders_begin_and_end_alike(clip: ClipEncoder, seen: np.ndarray, column: np.ndarray) -> None:
    grid = grid_of(32)
    curves = list(deletion_curves(clip, seen, [random_order(grid, s) for s in (0, 1)], column, 0.1, grid, steps=5))
    assert {len(curve.pre_activations) for curve in curves} == {6}
    ends = {(curve.pre_activations[0], curve.pre_activations[-1]) for curve in curves}
    assert len(ends) == 1
    assert not np.allclose(curves[0].pre_activations, curves[1].pre_activations)


def _tensor(pixels: np.ndarray) -> object:
    import torch

    return torch.from_numpy(pixels[None].copy())
