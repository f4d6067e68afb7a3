"""How few latents explain a set: against brute force, by hand, and as properties."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.equal_density import N_NEAREST, random_of_equal_density
from sae_core.neighbourhoods import Union, fewest, labels_kept, simultaneous_pursuit, union_of

INDICES = np.array([[3, 1, 0], [3, 2, 5], [1, 3, 4]])
ACTIVATIONS = np.array([[4.0, 1.0, -2.0], [2.0, 1.0, 0.0], [3.0, 2.0, 1.0]])


def codes_of(seed: int, n: int, k: int, n_latents: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    indices = np.stack([rng.choice(n_latents, k, replace=False) for _ in range(n)])
    return indices, -np.sort(-rng.normal(0.5, 1, (n, k)), axis=1)


def test_the_union_by_hand() -> None:
    found = union_of(INDICES, ACTIVATIONS)
    assert found.latents.tolist() == [3, 1, 2, 4]  # 0 is negative, 5 is zero; 2 and 4 tie
    assert found.mass.tolist() == [8, 4, 1, 1]
    assert found.codes.tolist() == [[4, 1, 0, 0], [2, 0, 1, 0], [2, 3, 0, 1]]
    np.testing.assert_allclose(found.kept, np.array([8, 12, 13, 14]) / 14)
    assert [fewest(found.kept, share) for share in (0.5, 0.6, 0.9, 1.0)] == [1, 2, 3, 4]


def test_nothing_active_needs_nothing() -> None:
    found = union_of(INDICES, -np.abs(ACTIVATIONS))
    assert len(found.latents) == 0
    assert fewest(found.kept, 0.99) == 0
    assert labels_kept(found, np.zeros((0, 3)), np.zeros(3)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("shares", "wanted"), [([0.2, 0.95, 0.5, 0.91, 0.97], 4), ([0.2, 0.3], None), ([0.9], 1), ([1.0, 0.1, 0.2], None)]
)
def test_fewest_is_where_the_share_stays(shares: list[float], wanted: int | None) -> None:
    assert fewest(np.array(shares), 0.9) == wanted


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), keep=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_no_smaller_set_keeps_as_much_mass(seed: int, keep: float) -> None:
    found = union_of(*codes_of(seed, 4, 3, 7))
    needed = fewest(found.kept, keep)
    assert needed is not None
    if needed > 1:
        best = max(sum(found.mass[list(some)]) for some in combinations(range(len(found.mass)), needed - 1))
        assert best < keep * found.mass.sum() + 1e-9


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), times=st.integers(2, 4))
def test_duplicates_and_order_change_nothing(seed: int, times: int) -> None:
    indices, activations = codes_of(seed, 5, 4, 12)
    found = union_of(indices, activations)
    again = union_of(np.tile(indices, (times, 1))[::-1], np.tile(activations, (times, 1))[::-1])
    assert again.latents.tolist() == found.latents.tolist()
    np.testing.assert_allclose(again.kept, found.kept)
    shuffled = np.random.default_rng(seed).permutation(4)
    assert union_of(indices[:, shuffled], activations[:, shuffled]).latents.tolist() == found.latents.tolist()


def oracle_pursuit(x: np.ndarray, atoms: np.ndarray, steps: int) -> tuple[list[int], list[float]]:
    """The textbook: least squares over the chosen atoms, anew at every step."""
    chosen: list[int] = []
    shares: list[float] = []
    residual = x
    for _ in range(steps):
        strengths = ((residual @ atoms.T) ** 2).sum(0)
        strengths[chosen] = -1
        chosen.append(int(strengths.argmax()))
        fitted = np.linalg.lstsq(atoms[chosen].T, x.T, rcond=None)[0]
        residual = x - (atoms[chosen].T @ fitted).T
        shares.append(1 - float((residual**2).sum() / (x**2).sum()))
    return chosen, shares


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_the_pursuit_is_the_textbooks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    atoms = rng.standard_normal((9, 12))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    x = rng.standard_normal((5, 9)) @ atoms
    found = simultaneous_pursuit(x, atoms, keep=0.9999)
    order, shares = oracle_pursuit(x, atoms, len(found.order))
    assert found.order.tolist() == order
    np.testing.assert_allclose(found.energy, shares, atol=1e-4)
    assert (np.diff(found.energy) >= -1e-12).all()
    assert found.energy[-1] >= 0.9999 - 1e-6


def test_few_atoms_are_found_again() -> None:
    rng = np.random.default_rng(3)
    atoms = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    codes = np.zeros((10, 30))
    codes[:, [4, 17, 22]] = rng.uniform(1, 2, (10, 3))
    found = simultaneous_pursuit(codes @ atoms, atoms)
    assert set(found.order.tolist()) == {4, 17, 22}


def test_equal_atoms_are_taken_once_and_zeros_never() -> None:
    atoms = np.array([[1.0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]])
    found = simultaneous_pursuit(np.array([[3.0, 1, 0]]), atoms, keep=1.0)
    assert found.order.tolist() == [0, 3]
    assert len(simultaneous_pursuit(np.zeros((2, 3)), atoms).order) == 0


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), n_coarse=st.integers(1, 40))
def test_labels_kept_is_what_looking_at_every_size_finds(seed: int, n_coarse: int) -> None:
    union = union_of(*codes_of(seed, 12, 6, 40))
    rng = np.random.default_rng(seed)
    rows, bias = rng.standard_normal((len(union.latents), 4)), rng.standard_normal(4)
    every = len(union.latents)
    found = labels_kept(union, rows, bias, n_coarse=every)
    wanted = (union.codes @ rows + bias).argmax(1)
    shares = np.array(
        [((union.codes[:, :j] @ rows[:j] + bias).argmax(1) == wanted).mean() for j in range(1, every + 1)]
    )
    assert found == tuple(fewest(shares, keep) for keep in (0.9, 0.95, 0.99))
    rough = labels_kept(union, rows, bias, n_coarse=n_coarse)
    for size, keep in zip(rough, (0.9, 0.95, 0.99), strict=True):
        assert size is not None
        assert shares[size - 1] >= keep - 1e-6


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), n=st.integers(3, 400), j=st.integers(0, 20))
def test_stand_ins_are_alive_others_of_like_density(seed: int, n: int, j: int) -> None:
    rng = np.random.default_rng(seed)
    density = rng.permutation(np.where(np.arange(n) % 5 == 0, 0, rng.exponential(0.01, n)))
    latents = rng.choice(n, min(j, n), replace=False)
    drawn = random_of_equal_density(density, latents, 3, seed)
    n_others = int(((density > 0) & ~np.isin(np.arange(n), latents)).sum())
    assert drawn.shape == (3, min(len(latents), n_others))
    for row in drawn:
        assert len(set(row.tolist())) == len(row)
        assert not set(row.tolist()) & set(latents.tolist())
        assert (density[row] > 0).all()
    ranked = np.sort(density[(density > 0) & ~np.isin(np.arange(n), latents)])
    for latent, stand_ins in zip(latents, drawn.T, strict=False):
        ranks = np.searchsorted(ranked, density[stand_ins])
        assert (np.abs(ranks - np.searchsorted(ranked, density[latent])) <= N_NEAREST + len(latents)).all()


def test_stand_ins_are_the_same_for_the_same_seed() -> None:
    density = np.linspace(0.001, 0.1, 300)
    first, second = (random_of_equal_density(density, np.arange(5), 4, seed=2) for _ in range(2))
    assert (first == second).all()
    assert (first != random_of_equal_density(density, np.arange(5), 4, seed=3)).any()


def test_a_union_of_duplicates_keeps_its_labels() -> None:
    union = Union(np.array([1, 2]), np.array([4.0, 2.0]), np.array([[2.0, 1.0], [2.0, 1.0]]))
    rows = np.array([[1.0, 0.0], [0.0, 3.0]])
    assert labels_kept(union, rows, np.zeros(2)) == (2, 2, 2)
