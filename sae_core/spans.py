"""Spans of directions: how much of a vector lies in one, and the angles between two.

With an orthonormal basis Q `[r, d]` of a span, the energy of x in it is |Q x|^2 / |x|^2: the squared cosine of the
angle between x and the span. Principal angles: Björck & Golub, "Numerical methods for computing angles between linear
subspaces" (1973); small ones from sines, as Knyazev & Argentati (2002) do, since a cosine near 1 has lost them.

All in float64. Directions need no unit norm; a row that is zero, or lies in the span of others, adds nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

# Relative; two float32 copies of one direction differ by about 1e-7 and are one.
TOLERANCE = 1e-6


class AngleBand(NamedTuple):
    """Principal angles of random spans, radians, rising; the baseline of measured ones."""

    low: Float64[np.ndarray, "r"]  # 5 % quantile of each angle
    median: Float64[np.ndarray, "r"]
    high: Float64[np.ndarray, "r"]  # 95 % quantile


def unit_rows(rows: Float[np.ndarray, "*batch d"]) -> Float64[np.ndarray, "*batch d"]:
    """Rows of norm 1; zeros stay zeros."""
    wide = np.asarray(rows, dtype=np.float64)
    largest = np.abs(wide).max(-1, keepdims=True, initial=0.0)
    wide = wide / np.where(largest > 0, largest, 1)  # first, so that no square underflows
    norms = np.linalg.norm(wide, axis=-1, keepdims=True)
    return np.asarray(wide / np.where(norms > 0, norms, 1))


def orthonormal_basis(directions: Float[np.ndarray, "m d"]) -> Float64[np.ndarray, "r d"]:
    """An orthonormal basis of the directions' span, r = its rank (0 where all are zero)."""
    rows = unit_rows(directions)
    if not rows.size:
        return np.zeros((0, rows.shape[1]))
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(basis[sizes > TOLERANCE * max(float(sizes[0]), TOLERANCE)])


def best_span(x: Float[np.ndarray, "n d"], j: int) -> Float64[np.ndarray, "r d"]:
    """The orthonormal directions that hold most of the rows' summed squares, strongest first; r = min(j, rank).

    Uncentred PCA (Eckart & Young 1936). Of unit rows no j-dimensional span has a larger mean energy.
    """
    wide = np.asarray(x, dtype=np.float64)
    _, sizes, basis = np.linalg.svd(wide, full_matrices=False)
    rank = int((sizes > TOLERANCE * sizes.max(initial=0.0)).sum())
    return np.asarray(basis[: min(j, rank)])


def energy(x: Float[np.ndarray, "n d"], basis: Float[np.ndarray, "r d"]) -> Float64[np.ndarray, "n"]:
    """Share of |x|^2 that lies in the span of orthonormal rows, 0 … 1; 0 for x = 0."""
    inside = np.square(unit_rows(x) @ np.asarray(basis, dtype=np.float64).T).sum(-1)
    return np.asarray(np.minimum(inside, 1.0))


def cumulative_energy(x: Float[np.ndarray, "n d"], directions: Float[np.ndarray, "m d"]) -> Float64[np.ndarray, "n m"]:
    """Share of |x|^2 in the span of the first j directions, j = 1 … m: rising, 0 … 1; 0 for x = 0."""
    return _summed(unit_rows(x) @ orthogonal_steps(directions).T)


def cumulative_energy_each(
    x: Float[np.ndarray, "n d"], directions: Float[np.ndarray, "n m d"]
) -> Float64[np.ndarray, "n m"]:
    """The same where every row of x has directions of its own."""
    return _summed(np.einsum("nd,nmd->nm", unit_rows(x), orthogonal_steps(directions)))


def orthogonal_steps(directions: Float[np.ndarray, "*batch m d"]) -> Float64[np.ndarray, "*batch m d"]:
    """What each direction adds to those before it: rows of norm 1, orthogonal to all earlier ones; else zeros.

    Gram-Schmidt, each step twice ("twice is enough", Giraud et al. 2005).
    """
    rows = unit_rows(directions)
    steps = np.zeros_like(rows)
    for j in range(rows.shape[-2]):
        rest, before = rows[..., j, :], steps[..., :j, :]
        for _ in range(2):
            inside = np.einsum("...jd,...d->...j", before, rest)
            rest = rest - np.einsum("...jd,...j->...d", before, inside)
        new = np.linalg.norm(rest, axis=-1, keepdims=True) > TOLERANCE
        steps[..., j, :] = np.where(new, unit_rows(rest), 0.0)
    return steps


def principal_angles(a: Float[np.ndarray, "p d"], b: Float[np.ndarray, "q d"]) -> Float64[np.ndarray, "r"]:
    """Angles between the spans of two sets of directions, radians, rising; r = the smaller rank."""
    small, large = sorted((orthonormal_basis(a), orthonormal_basis(b)), key=len)
    if not len(small):
        return np.zeros(0)
    inside = small @ large.T
    cosines = np.linalg.svd(inside, compute_uv=False)
    sines = np.linalg.svd(small - inside @ large, compute_uv=False)[::-1]
    near = np.square(cosines) >= 0.5
    return np.asarray(np.where(near, np.arcsin(np.clip(sines, 0, 1)), np.arccos(np.clip(cosines, 0, 1))))


def random_angles(d: int, p: int, q: int, n: int, seed: int) -> AngleBand:
    """Quantiles of the principal angles between random spans of dimensions p and q in d dimensions, n draws.

    One of them may be fixed, the other uniform (QR of a Gaussian matrix): the angles are distributed alike.
    """
    small, large = sorted((min(p, d), min(q, d)))
    rng = np.random.default_rng(seed)
    bases = np.linalg.qr(rng.normal(size=(n, d, small)))[0]
    cosines = np.linalg.svd(bases[:, :large, :], compute_uv=False)
    angles = np.arccos(np.clip(cosines, 0, 1))
    return AngleBand(*np.quantile(angles, (0.05, 0.5, 0.95), axis=0))


def _summed(coordinates: np.ndarray) -> np.ndarray:
    return np.asarray(np.minimum(np.cumsum(np.square(coordinates), axis=-1), 1.0))
