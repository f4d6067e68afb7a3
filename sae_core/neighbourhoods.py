"""How few latents explain a set of pictures: their union, and how much of it is needed.

arXiv 2509.24510 claims that a neighbourhood is explained by few shared concepts. "Explained" is measured in three ways:
the share of the activation mass, of the reconstructions' energy, and of the labels that a linear head still gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int, Int64

_EPSILON = 1e-9  # shares are sums of floats
_AFRESH = 16  # steps after which correlations are computed anew
_NOTHING = 1e-9  # of the total energy: what float32 cannot tell from 0


class Union(NamedTuple):
    """Latents that are active in at least one of n pictures, most mass first, equal ones by number."""

    latents: Int64[np.ndarray, "u"]
    mass: Float64[np.ndarray, "u"]  # sum of activations over the pictures
    codes: Float64[np.ndarray, "n u"]  # activations of each picture; 0 where not active

    @property
    def kept(self) -> Float64[np.ndarray, "u"]:
        """Share of all activation mass in the first j latents, j = 1 … u. No other j latents hold more."""
        total = float(self.mass.sum())
        return np.cumsum(self.mass) / total if total > 0 else np.ones(len(self.mass))


class Pursuit(NamedTuple):
    """Atoms in the order in which they were chosen, and what they hold together."""

    order: Int64[np.ndarray, "j"]  # rows of the atoms
    energy: Float64[np.ndarray, "j"]  # share of the targets' squared norm in the span of the first 1 … j, rising


def union_of(indices: Int[np.ndarray, "n k"], activations: Float[np.ndarray, "n k"]) -> Union:
    """The active latents (activation > 0) of n codes."""
    values = np.maximum(np.asarray(activations, dtype=np.float64), 0)
    latents = np.unique(indices[values > 0])
    codes = np.zeros((len(indices), len(latents)))
    pictures, places = np.nonzero(values > 0)
    codes[pictures, np.searchsorted(latents, indices[pictures, places])] = values[pictures, places]
    order = np.lexsort((latents, -codes.sum(0)))
    return Union(latents[order].astype(np.int64), codes.sum(0)[order], codes[:, order])


def fewest(shares: Float[np.ndarray, "u"], keep: float) -> int | None:
    """The smallest number after which the share never falls below `keep` again; None where it ends below.

    0 where there is nothing to keep. Entry j - 1 is the share of the first j.
    """
    if not len(shares):
        return 0
    below = np.flatnonzero(np.asarray(shares) < keep - _EPSILON)
    if not len(below):
        return 1
    return None if below[-1] == len(shares) - 1 else int(below[-1]) + 2


def simultaneous_pursuit(x: Float[np.ndarray, "n d"], atoms: Float[np.ndarray, "u d"], keep: float = 0.99) -> Pursuit:
    """Simultaneous orthogonal matching pursuit until `keep` of the energy of all rows of x is held together.

    Tropp, Gilbert & Strauss (2006), with the sum of squares for the atoms' correlations with all residuals, as Chen &
    Huo (2006) have it. Each step takes the atom of the largest sum, then fits all anew: the residuals stay orthogonal
    to what was chosen. Ends early where no atom adds anything. O(steps (n + u) d), and no table of n times u.
    """
    residual, rows = (np.asarray(array, dtype=np.float32).copy() for array in (x, atoms))
    total = float(np.square(residual, dtype=np.float64).sum())
    basis = np.zeros((min(rows.shape), rows.shape[1]), dtype=np.float32)
    order: list[int] = []
    energy: list[float] = []
    held = 0.0
    while total > 0 and len(order) < len(basis) and (not energy or energy[-1] < keep - _EPSILON):
        if len(order) % _AFRESH == 0:  # rounding adds up
            strengths = np.square(rows @ residual.T).sum(1)
        strengths[order] = -1
        best = int(strengths.argmax())
        step = _new_direction(rows[best], basis[: len(order)])
        if step is None or strengths[best] <= _NOTHING * total:
            break
        inside = residual @ step
        size = float(inside @ inside)
        # |c - (r q) (a q)|^2 for every atom a with correlations c = R a, without holding c
        along, across = (rows @ np.stack([step, residual.T @ inside], axis=1)).T
        strengths += along * (along * size - 2 * across)
        residual -= np.outer(inside, step)
        basis[len(order)] = step
        held += size
        order.append(best)
        energy.append(min(held / total, 1.0))
    return Pursuit(np.array(order, dtype=np.int64), np.array(energy))


def _new_direction(row: np.ndarray, basis: np.ndarray) -> np.ndarray | None:
    """What a row adds to an orthonormal basis, of norm 1; orthogonalised twice. None where that is nothing."""
    rest = row - (basis @ row) @ basis
    rest = rest - (basis @ rest) @ basis
    norm = float(np.linalg.norm(rest))
    return rest / norm if norm > 1e-4 * max(float(np.linalg.norm(row)), 1e-30) else None


def labels_kept(
    union: Union,
    logit_rows: Float[np.ndarray, "u m"],
    bias: Float[np.ndarray, "m"],
    keep: Sequence[float] = (0.9, 0.95, 0.99),
    n_coarse: int = 24,
) -> tuple[int | None, ...]:
    """How few latents, most mass first, leave the label of at least these shares of the pictures as it is.

    The label of a picture is the largest of `codes @ logit_rows + bias`: a linear head on the reconstruction, since
    decoding is linear (`logit_rows` = decoder rows times the head's weights). Every number of latents is looked at
    where a threshold is crossed, `n_coarse` elsewhere.
    """
    codes, rows = union.codes.astype(np.float32), np.asarray(logit_rows, dtype=np.float32)
    n, u = codes.shape
    if not u:
        return tuple(0 for _ in keep)
    offset = np.asarray(bias, dtype=np.float32)
    wanted = (codes @ rows + offset).argmax(1)
    shares = np.full(u, np.nan)

    def look(sizes: Sequence[int], logits: np.ndarray, done: int) -> None:
        for size in sizes:
            logits = logits + codes[:, done:size] @ rows[done:size]
            shares[size - 1], done = float(((logits + offset).argmax(1) == wanted).mean()), size

    edges = np.unique(np.linspace(0, u, min(n_coarse, u) + 1).round().astype(int))
    look(edges[1:].tolist(), np.zeros((n, rows.shape[1]), np.float32), 0)
    for share in keep:
        below = [int(edge) for edge in edges[1:] if shares[edge - 1] < share - _EPSILON]
        start = below[-1] if below else 0
        stop = int(edges[np.searchsorted(edges, start) + 1]) if start < u else u
        look(range(start + 1, stop), codes[:, :start] @ rows[:start], start)
    return tuple(fewest(_filled(shares), share) for share in keep)


def _filled(shares: np.ndarray) -> np.ndarray:
    """Between sizes that were looked at, the share of the next one: nothing is claimed before it was seen."""
    known = np.flatnonzero(np.isfinite(shares))
    return np.asarray(shares[known[np.searchsorted(known, np.arange(len(shares)))]])
