"""Spans by hand, against scipy and against plain least squares, and what must hold for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from scipy.stats import ortho_group

from sae_core import spans

HALF = np.sqrt(0.5)
SEEDS = st.integers(0, 10_000)


def explained(x: np.ndarray, directions: np.ndarray) -> float:
    """The share of |x|^2 that least squares leaves no residual of: the oracle."""
    fitted = directions.T @ np.linalg.lstsq(directions.T, x, rcond=1e-8)[0]
    return float(1 - ((x - fitted) ** 2).sum() / (x**2).sum())


def test_energy_by_hand() -> None:
    """x = (3, 4, 0): 9/25 lie along the first axis, all of it in the plane."""
    x = np.array([[3.0, 4.0, 0.0]])
    axes = np.eye(3)
    assert spans.energy(x, axes[:1]) == pytest.approx([9 / 25])
    assert spans.cumulative_energy(x, axes) == pytest.approx(np.array([[9 / 25, 1.0, 1.0]]))
    # In the order z, (1, 1, 0): 0, then the square of 7 / (5 sqrt 2).
    found = spans.cumulative_energy(x, np.array([[0.0, 0, 1], [1, 1, 0]]))
    assert found == pytest.approx(np.array([[0.0, 49 / 50]]))


def test_angles_by_hand() -> None:
    """Two planes in space that share a line: 0, and the angle between them."""
    tilt = 0.3
    plane = np.array([[1.0, 0, 0], [0, 1, 0]])
    tilted = np.array([[1.0, 0, 0], [0, np.cos(tilt), np.sin(tilt)]])
    assert spans.principal_angles(plane, tilted) == pytest.approx([0.0, tilt], abs=1e-12)
    assert spans.principal_angles(plane[:1], plane[1:]) == pytest.approx([np.pi / 2])
    assert spans.principal_angles(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]])) == pytest.approx([np.pi / 4])


def test_small_angles_are_not_lost() -> None:
    for angle in (1e-4, 1e-9, 1e-12):
        line = np.array([[np.cos(angle), np.sin(angle)]])
        assert spans.principal_angles(np.array([[1.0, 0.0]]), line) == pytest.approx([angle], rel=1e-3)


def test_rows_that_add_nothing() -> None:
    rows = np.array([[0.0, 0, 0], [1, 1, 0], [2, 2, 0], [1, 0, 0], [0, 5, 0], [0, 0, 0]])
    assert spans.orthonormal_basis(rows).shape == (2, 3)
    found = spans.cumulative_energy(np.array([[1.0, 0.0, 1.0]]), rows)
    assert found == pytest.approx(np.array([[0.0, 0.25, 0.25, 0.5, 0.5, 0.5]]))
    assert spans.orthonormal_basis(np.zeros((3, 4))).shape == (0, 4)
    assert spans.orthonormal_basis(np.zeros((0, 4))).shape == (0, 4)
    assert spans.principal_angles(np.zeros((2, 4)), np.eye(4)).shape == (0,)
    assert spans.cumulative_energy(np.ones((2, 3)), np.zeros((0, 3))).shape == (2, 0)
    assert spans.best_span(np.zeros((3, 4)), 2).shape == (0, 4)


def test_float32_copies_of_one_direction_are_one() -> None:
    row = spans.unit_rows(np.random.default_rng(0).normal(size=512))
    nearly = row.astype(np.float32) * np.float32(1.3)
    assert len(spans.orthonormal_basis(np.stack([row, nearly]))) == 1
    assert not spans.orthogonal_steps(np.stack([row, nearly]))[1].any()


def test_scale_does_not_matter() -> None:
    """Not even where squares would underflow or overflow."""
    rows = np.array([[1e-200, 2e-200], [3e200, -1e200]])
    x = np.array([[1e-180, 0.0], [0.0, 1e180]])
    assert spans.energy(x, spans.orthonormal_basis(rows)) == pytest.approx([1, 1])
    assert spans.cumulative_energy(x, rows) == pytest.approx(np.array([[0.2, 1], [0.8, 1]]))


def test_nothing_has_no_energy() -> None:
    zero = np.zeros((2, 3))
    assert spans.energy(zero, np.eye(3)).tolist() == [0, 0]
    assert spans.cumulative_energy(zero, np.eye(3)).tolist() == [[0, 0, 0], [0, 0, 0]]


@settings(max_examples=60)
@given(seed=SEEDS, d=st.integers(2, 9), m=st.integers(1, 12), duplicate=st.booleans())
def test_energy_rises_to_that_of_least_squares(seed: int, d: int, m: int, duplicate: bool) -> None:
    rng = np.random.default_rng(seed)
    x, directions = rng.normal(size=(4, d)), rng.normal(size=(m, d))
    if duplicate:
        directions[m // 2] = -2 * directions[0]
    found = spans.cumulative_energy(x, directions)
    assert (np.diff(found, axis=1) >= 0).all()
    assert (found >= 0).all()
    assert (found <= 1).all()
    for j in range(1, m + 1):
        wanted = [explained(row, directions[:j]) for row in x]
        assert found[:, j - 1] == pytest.approx(wanted, abs=1e-9)
        assert spans.energy(x, spans.orthonormal_basis(directions[:j])) == pytest.approx(wanted, abs=1e-9)
    if np.linalg.matrix_rank(directions) == d:
        assert found[:, -1] == pytest.approx(np.ones(4))


@settings(max_examples=30)
@given(seed=SEEDS, m=st.integers(1, 7))
def test_each_with_its_own_directions(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    x, directions = rng.normal(size=(5, 6)), rng.normal(size=(5, m, 6))
    directions[0, m // 2] = directions[0, 0]
    found = spans.cumulative_energy_each(x, directions)
    alone = [spans.cumulative_energy(x[i : i + 1], directions[i])[0] for i in range(5)]
    assert found == pytest.approx(np.stack(alone))


@settings(max_examples=60)
@given(seed=SEEDS, d=st.integers(1, 12), p=st.integers(1, 8), q=st.integers(1, 8), shared=st.integers(0, 3))
def test_angles_as_scipy_has_them(seed: int, d: int, p: int, q: int, shared: int) -> None:
    rng = np.random.default_rng(seed)
    p, q = min(p, d), min(q, d)
    a, b = rng.normal(size=(p, d)), rng.normal(size=(q, d))
    b[:shared] = a[: len(b[:shared])] if shared <= p else b[:shared]
    wanted = np.sort(subspace_angles(a.T, b.T))
    found = spans.principal_angles(a, b)
    # scipy takes some small angles from cosines, which are good to the root of the machine's epsilon.
    assert found == pytest.approx(wanted, abs=1e-7)
    assert (np.diff(found) >= -1e-7).all()
    assert spans.principal_angles(b, a) == pytest.approx(found, abs=1e-9)


@settings(max_examples=40)
@given(seed=SEEDS, d=st.integers(3, 8))
def test_angles_do_not_depend_on_the_basis(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(3, d)), rng.normal(size=(2, d))
    found = spans.principal_angles(a, b)
    mixed = ortho_group.rvs(3, random_state=rng) @ np.diag([0.5, 2, -3]) @ a
    assert spans.principal_angles(mixed, np.vstack([b, b[0] - b[1]])) == pytest.approx(found, abs=1e-9)
    turned = ortho_group.rvs(d, random_state=rng)
    assert spans.principal_angles(a @ turned, b @ turned) == pytest.approx(found, abs=1e-9)
    assert spans.principal_angles(a, a) == pytest.approx(np.zeros(3), abs=1e-12)


@settings(max_examples=30)
@given(seed=SEEDS, j=st.integers(1, 6))
def test_no_span_holds_more_than_the_best(seed: int, j: int) -> None:
    rng = np.random.default_rng(seed)
    x = spans.unit_rows(rng.normal(size=(9, 6)) * np.array([5, 3, 2, 1, 1, 0.1]))
    best = spans.best_span(x, j)
    assert best @ best.T == pytest.approx(np.eye(len(best)))
    values = np.linalg.eigvalsh(x.T @ x)[::-1]  # the oracle: eigenvalues of the second moments
    assert spans.energy(x, best).mean() == pytest.approx(values[:j].sum() / 9)
    other = spans.orthonormal_basis(rng.normal(size=(j, 6)))
    assert spans.energy(x, other).mean() <= spans.energy(x, best).mean() + 1e-12


def test_random_spans_have_the_angles_of_random_spans() -> None:
    """Against pairs that are both drawn, and: in 3 dimensions two planes share a line."""
    rng = np.random.default_rng(1)
    drawn = np.stack([subspace_angles(*rng.normal(size=(2, 30, 4)))[::-1] for _ in range(600)])
    band = spans.random_angles(30, 4, 4, 600, seed=2)
    assert band.median == pytest.approx(np.median(drawn, axis=0), abs=0.03)
    assert band.low == pytest.approx(np.quantile(drawn, 0.05, axis=0), abs=0.06)
    assert band.high == pytest.approx(np.quantile(drawn, 0.95, axis=0), abs=0.06)
    assert spans.random_angles(3, 2, 2, 50, seed=0).high[0] == pytest.approx(0, abs=1e-6)
    again = spans.random_angles(30, 4, 4, 600, seed=2)
    assert all((x == y).all() for x, y in zip(band, again, strict=True))
    assert spans.random_angles(30, 2, 5, 10, seed=0).median.shape == (2,)
