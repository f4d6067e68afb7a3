"""What latents share by chance when their number in an image is fixed, or varies: against exact sampling."""

from __future__ import annotations

import numpy as np
import pytest

from sae_core.statistics import count_bond, joint_share, lift


def totals(weights: np.ndarray, most: int) -> np.ndarray:
    """Elementary symmetric polynomials e_0 … e_most of the weights."""
    sums = np.zeros(most + 1)
    sums[0] = 1
    for weight in weights:
        sums[1:] += weight * sums[:-1].copy()
    return sums


def exact(weights: np.ndarray, k: int) -> np.ndarray:
    """P(a and b) where k things are drawn with the odds of their weights; on the diagonal P(a)."""
    n, whole = len(weights), totals(weights, k)[k]
    shares = np.zeros((n, n))
    for a in range(n):
        shares[a, a] = weights[a] * totals(np.delete(weights, a), k - 1)[k - 1] / whole
        for b in range(a):
            rest = totals(np.delete(weights, [a, b]), k - 2)[k - 2]
            shares[a, b] = shares[b, a] = weights[a] * weights[b] * rest / whole
    return shares


def lifts(shares: np.ndarray, variance: float) -> np.ndarray:
    """Of all pairs, which should be 1."""
    a, b = np.triu_indices(len(shares), 1)
    single = np.diag(shares)
    return lift(shares[a, b], single[a], single[b], 1, count_bond(single, variance))


def test_equal_things_by_hand() -> None:
    """Ten of a hundred: 10 · 9 / (100 · 99) together, 0.1² (1 − 0.9 / 10) by the formula, 0.1² without it."""
    shares = np.full(100, 0.1)
    bond = count_bond(shares, 0.0)
    assert bond == pytest.approx(-1 / 9)
    together = np.array([10 * 9 / (100 * 99)])
    assert lift(together, shares[:1], shares[1:2], 1, bond) == pytest.approx(together / 0.0091)
    assert lift(together, shares[:1], shares[1:2], 1) == pytest.approx(together / 0.01)


def test_always_as_many() -> None:
    """Sixteen of 120 of very different densities: within 3 % for every pair, where the product is 6 % and more off."""
    shares = exact(np.random.default_rng(0).lognormal(0, 1, 120), 16)
    assert np.diag(shares).max() > 0.4 and np.diag(shares).min() < 0.02
    assert np.abs(lifts(shares, 0.0) - 1).max() < 0.03
    single = np.diag(shares)
    assert (shares / np.outer(single, single))[np.triu_indices(120, 1)].mean() < 0.95


def test_a_number_that_varies_brings_things_together() -> None:
    """Half of the images have eight, half of them twelve: a variance of 4."""
    weights = np.random.default_rng(1).lognormal(0, 0.6, 120)
    shares = (exact(weights, 8) + exact(weights, 12)) / 2
    assert np.abs(lifts(shares, 4.0) - 1).max() < 0.02
    assert np.abs(lifts(shares, 0.0) - 1).mean() > 0.02


def test_independent_things_have_no_bond() -> None:
    shares = np.array([0.5, 0.2, 0.1])
    assert count_bond(shares, 0.25 + 0.16 + 0.09) == pytest.approx(0)
    assert count_bond(np.array([0.0, 1.0]), 0.0) == 0


def test_what_chance_never_has_is_no_lift() -> None:
    assert lift(np.array([3]), np.array([0]), np.array([5]), 10).tolist() == [0]
    assert lift(np.array([3]), np.array([5]), np.array([5]), 10, -5.0).tolist() == [0]


def test_a_joint_share_is_that_of_k_things_of_equal_chance() -> None:
    """Exact: k of n are drawn, so m given ones are all among them by the hypergeometric law."""
    n, k = 400, 16
    shares = np.full(n, k / n)
    bond = count_bond(shares, 0.0)
    for m, close in ((1, 1e-12), (2, 2e-3), (3, 0.01), (5, 0.06)):
        exact = np.prod([(k - i) / (n - i) for i in range(m)])
        assert joint_share(shares[:m], np.ones(m, bool), bond) == pytest.approx(exact, rel=close)
        assert joint_share(shares[:m], np.ones(m, bool)) == pytest.approx((k / n) ** m), "without a bond the product"
    none = np.prod([(n - k - i) / (n - i) for i in range(20)])
    assert joint_share(shares[:20], np.zeros(20, bool), bond) == pytest.approx(none, rel=5e-3)
    assert joint_share(shares[:100], np.ones(100, bool), -2.0) == 0, "never below 0"


def test_a_joint_share_agrees_with_codes_drawn_at_random() -> None:
    """Unequal shares, k of them active in every row: the strongest of keys that know nothing of each other."""
    rng = np.random.default_rng(0)
    weights = rng.gumbel(size=(200_000, 60)) + np.linspace(0, 2, 60)
    active = np.zeros(weights.shape, bool)
    np.put_along_axis(active, np.argpartition(-weights, 8, axis=1)[:, :8], True, axis=1)
    shares = active.mean(0)
    bond = count_bond(shares, 0.0)
    for some, happens in (([58, 59], [1, 1]), ([57, 58, 59], [1, 1, 1]), ([57, 58, 59], [1, 1, 0])):
        drawn = (active[:, some] == np.array(happens, bool)).all(1).mean()
        ours, product = (joint_share(shares[some], np.array(happens, bool), tie) for tie in (bond, 0.0))
        noise = (drawn * (1 - drawn) / len(active)) ** 0.5
        assert abs(ours - drawn) < 3 * noise, (some, happens)
        assert abs(product - drawn) > 6 * noise or not all(happens), (some, happens)


def sums_of_products(odds: np.ndarray, k: int) -> np.ndarray:
    """Of all choices of 0 … k of the odds, the sums of their products."""
    found = np.zeros(k + 1)
    found[0] = 1
    for one in odds:
        found[1:] = found[1:] + one * found[:-1]
    return found


@pytest.mark.parametrize(("k", "close"), [(1, 0.03), (4, 0.02), (16, 3e-3)])
def test_one_of_very_many_is_as_likely_as_where_k_are_drawn_by_their_odds(k: int, close: float) -> None:
    """Exact for the conditional Bernoulli design (Chen, Dempster & Liu 1994), whose odds are fitted to the shares."""
    rng = np.random.default_rng(0)
    shares = np.exp(rng.normal(0, 1.2, 1_000))
    shares *= k / shares.sum()
    odds = shares.copy()
    for _ in range(40):
        all_k = sums_of_products(odds, k)
        without = np.ones_like(odds)  # the sums of 0, then 1, … k - 1, each without one of the odds
        for size in range(1, k):
            without = all_k[size] - odds * without
        odds *= shares / (odds * without / all_k[k])
        odds /= odds.mean()
    bond = count_bond(shares, 0.0)
    most = np.argsort(-shares)
    for m in (2, 10, 50):
        none = sums_of_products(np.delete(odds, most[:m]), k)[k] / sums_of_products(odds, k)[k]
        assert 1 - joint_share(shares[most[:m]], np.zeros(m, bool), bond) == pytest.approx(1 - none, rel=close)
    product = 1 - joint_share(shares[most[:50]], np.zeros(50, bool))
    assert product != pytest.approx(1 - none, rel=close), "as independent they are rarer"
