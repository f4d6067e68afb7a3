"""Occlusion against a loop, against captum, and what must hold of every map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sae_core import ClipEncoder
from sae_core.heatmaps import Grid, grid_of, occluded_embeddings, occlusion_map
from tests.sae_core.heatmaps.conftest import SIDE, LinearEncoder


def whole_of(encoder: ClipEncoder, pixels: np.ndarray) -> np.ndarray:
    return encoder.encode_pixels(torch.from_numpy(pixels[None].copy()))[0].numpy()


def full_map(encoder: ClipEncoder, pixels: np.ndarray, weight: np.ndarray, grid: Grid) -> np.ndarray:
    occluded = np.concatenate(list(occluded_embeddings(encoder, pixels, grid)))
    assert len(occluded) == grid.n_windows
    return occlusion_map(whole_of(encoder, pixels), occluded, weight, grid)


def test_of_a_linear_encoder_a_cell_is_the_mean_share_of_its_windows(
    linear: LinearEncoder, pixels: np.ndarray, weight: np.ndarray
) -> None:
    grid = Grid(SIDE, n_cells=4, window=2)
    shares = linear.shares(pixels, weight)
    expected = np.zeros((4, 4))
    for row in range(4):
        for column in range(4):
            places = [(r, c) for r in range(3) for c in range(3) if r in (row - 1, row) and c in (column - 1, column)]
            hidden = [shares[2 * r : 2 * r + 4, 2 * c : 2 * c + 4].sum() for r, c in places]
            expected[row, column] = np.mean(hidden)
    np.testing.assert_allclose(full_map(linear, pixels, weight, grid), expected, rtol=1e-4, atol=1e-4)  # type: ignore[arg-type]


def test_hiding_the_only_pixels_that_matter_is_seen_there_alone(linear: LinearEncoder, pixels: np.ndarray) -> None:
    """Signed: what speaks for the latent is positive, what speaks against it negative."""
    linear.matrix[:] = 0
    linear.matrix[0, 0, :, 0] = 1.0
    linear.matrix[7, 7, :, 0] = -1.0
    pixels[:] = 255
    found = full_map(linear, pixels, np.array([1.0, 0, 0], dtype=np.float32), Grid(SIDE, 4, window=1))  # type: ignore[arg-type]
    assert found[0, 0] > 0 > found[3, 3]
    assert np.count_nonzero(np.abs(found) > 1e-6) == 2


def test_captum_finds_the_same(clip: ClipEncoder, seen: np.ndarray, column: np.ndarray) -> None:
    captum = pytest.importorskip("captum.attr", reason="captum is a development requirement")
    grid = Grid(32, n_cells=8, window=2)

    def score(x: torch.Tensor) -> torch.Tensor:
        embedding = torch.nn.functional.normalize(clip.model.encode_image(x), dim=-1)
        return embedding @ torch.from_numpy(column)

    fill = np.broadcast_to(clip.preprocessing.mean_colour, (1, 32, 32, 3)).copy()
    with torch.no_grad():
        theirs = captum.Occlusion(score).attribute(
            clip.preprocessing.normalise(torch.from_numpy(seen[None].copy())),
            sliding_window_shapes=(3, 8, 8),
            strides=(3, 4, 4),
            baselines=clip.preprocessing.normalise(torch.from_numpy(fill)),
        )
    ours = full_map(clip, seen, column, grid)
    assert np.abs(ours).max() > 1e-3
    np.testing.assert_allclose(ours, theirs[0, 0, ::4, ::4].numpy(), atol=2e-6)


@given(seed=st.integers(0, 2**16), n=st.integers(1, 5))
def test_the_map_of_a_sum_is_the_sum_of_the_maps(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid(20, n_cells=5, window=2)
    whole, occluded = rng.normal(size=6).astype(np.float32), rng.normal(size=(16, 6)).astype(np.float32)
    weights = rng.normal(size=(n, 6))
    together = occlusion_map(whole, occluded, weights.sum(0), grid)
    np.testing.assert_allclose(together, sum(occlusion_map(whole, occluded, w, grid) for w in weights), atol=1e-9)


def test_a_picture_of_the_mean_colour_has_nothing_to_hide(clip: ClipEncoder, column: np.ndarray) -> None:
    plain = np.broadcast_to(clip.preprocessing.mean_colour, (32, 32, 3)).copy()
    assert np.abs(full_map(clip, plain, column, grid_of(32))).max() < 1e-6


def test_who_stops_asking_stops_the_encoding(linear: LinearEncoder, pixels: np.ndarray) -> None:
    batches = occluded_embeddings(linear, pixels, Grid(SIDE, 4, window=1), batch_size=3)  # type: ignore[arg-type]
    next(batches)
    batches.close()
    assert linear.n_encoded == 3


def test_the_picture_itself_stays_as_it_is(clip: ClipEncoder, seen: np.ndarray) -> None:
    before = seen.copy()
    list(occluded_embeddings(clip, seen, grid_of(32)))
    np.testing.assert_array_equal(seen, before)
