"""Small statistics with their sources."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincinv, stdtrit

Z_95 = 1.959964  # two-sided 95 %


def poisson_low(counts: np.ndarray) -> np.ndarray:
    """The exact lower 95 % bound (two-sided) of Poisson means, from counts; 0 for a count of 0.

    Garwood (1936): half the 2.5 % quantile of chi-squared with 2n degrees of freedom.
    """
    counts = np.asarray(counts, dtype=np.float64)
    return np.where(counts > 0, gammaincinv(np.maximum(counts, 1), 0.025), 0.0)


def lift(n_both: np.ndarray, n_a: np.ndarray, n_b: np.ndarray, n: int, bond: float = 0.0) -> np.ndarray:
    """How many times as often both happen among n images as by chance, which is 1; 0 where chance has it never.

    By chance: P(a) P(b) (1 + bond (1 - P(a)) (1 - P(b))), with the `count_bond` of all that may happen.
    """
    shares = [np.asarray(count, dtype=np.float64) / max(n, 1) for count in (n_a, n_b)]
    expected = n * shares[0] * shares[1] * np.maximum(1 + bond * (1 - shares[0]) * (1 - shares[1]), 0)
    return np.where(expected > 0, np.asarray(n_both) / np.where(expected > 0, expected, 1), 0.0)


def count_bond(shares: np.ndarray, variance: float) -> float:
    """(V - D) / D², how things depend on each other through how many of them happen in one image, and only so.

    V is that number's variance over the images, D = sum p (1 - p) what it would be of independent things. Where always
    as many happen (Top-K: V = 0) the place of one is another's loss, and the chance of two together is Hájek's (1964)
    of rejective sampling; the rest follows from the same normal approximation. 0 where nothing varies.
    """
    independent = float((shares * (1 - shares)).sum())
    return (variance - independent) / independent**2 if independent > 0 else 0.0


def joint_share(shares: np.ndarray, happens: np.ndarray, bond: float = 0.0) -> float:
    """The chance that of several things those happen that `happens [m]` says and the others do not, from their shares.

    The product, times 1 + bond d_i d_j for each pair, with d = 1 - share where one happens and -share where it does
    not: for one pair what `lift` takes as chance, for more an approximation that is never below 0.
    """
    shares, happens = np.asarray(shares, dtype=np.float64), np.asarray(happens, dtype=bool)
    off = happens - shares
    first, second = np.triu_indices(len(shares), 1)
    pairs = np.maximum(1 + bond * off[first] * off[second], 0)
    return float(np.where(happens, shares, 1 - shares).prod() * pairs.prod())


def auc(scores: np.ndarray, others: np.ndarray, without: np.ndarray | None = None) -> float:
    """Area under the ROC curve: the chance that one of `scores` exceeds one of `others`, ties counting half.

    `others` rise; `without`, where given, are some of them that do not count. NaN where nothing is left to compare.
    """
    out = np.sort(without) if without is not None else np.zeros(0)
    n_others = len(others) - len(out)
    if not len(scores) or not n_others:
        return float("nan")
    return float((_ranks(scores, others) - _ranks(scores, out)).mean() / (2 * n_others))


def _ranks(scores: np.ndarray, rising: np.ndarray) -> np.ndarray:
    """Twice the number of values below each score, equal ones counting once."""
    low, high = (np.searchsorted(rising, scores, side) for side in ("left", "right"))
    return np.asarray(low + high)


def auc_error(area: np.ndarray, n_positive: np.ndarray, n_negative: np.ndarray) -> np.ndarray:
    """Standard error of an AUC after Hanley & McNeil (1982), for scores of exponential form."""
    area = np.asarray(area, dtype=np.float64)
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    n_positive, n_negative = np.maximum(n_positive, 1), np.maximum(n_negative, 1)
    spread = area * (1 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    return np.asarray(np.sqrt(np.maximum(spread, 0) / (n_positive * n_negative)))


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """95 % interval of a mean (Student 1908), of two values or more."""
    n = len(values)
    half = float(stdtrit(n - 1, 0.975)) * float(np.std(values, ddof=1)) / np.sqrt(n)
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def share_interval(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share of n >= 1 (Wilson 1927): all of 60 is not certain, it is 94 % or more."""
    z2 = Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)


def paired_share_interval(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """95 % interval of the difference of two shares, of yes-or-no answers in pairs.

    Wald's with half a pair more of each of the four kinds (Agresti & Min 2005): four of 512 beside none is not certain.
    """
    more, less = ((ours > theirs).sum() + 0.5, (ours < theirs).sum() + 0.5)
    n = len(ours) + 2
    half = Z_95 * np.sqrt(more + less - (more - less) ** 2 / n) / n
    return float((more - less) / n - half), float((more - less) / n + half)
