"""Figures of latents beside those of controls, in pairs of equal density."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float64

from explorer.wording import NBSP, figure, percent, signed
from sae_core.statistics import mean_interval, paired_share_interval

Verdict = Literal["higher", "lower", "unclear"]
_MIN_PAIRS = 30  # of which a mean says something
_N_GROUPS = 3

_FIGURES: tuple[tuple[str, str, bool], ...] = (  # column, name, whether it is a share
    ("monosemanticity", "monosemanticity", False),
    ("split_half", "split-half stability", False),
    ("label_purity", "label purity", True),
    ("name_score", "name score of the best candidate", False),
    ("name_good", "with a good name", True),
    ("name_borne", "with one that labels or captions bear out", True),
)


@dataclass(frozen=True)
class Against:
    """One figure of one kind of control, each beside a latent of its density."""

    mean: str
    difference: str  # of the latents from it, with its 95 % interval
    verdict: Verdict  # on the latents
    n: int  # pairs in which both have the figure


@dataclass(frozen=True)
class Row:
    """One figure."""

    name: str
    latents: str  # mean
    against: dict[str, Against]  # by kind
    by_density: tuple[Against | None, ...]  # with the pictures' covariance, for each group of pairs; None: too few


def density_groups(sizes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Thirds of the pairs, the rarest first; none where a third would be too few."""
    order = np.argsort(sizes, kind="stable")
    return tuple(np.array_split(order, _N_GROUPS)) if len(sizes) >= _N_GROUPS * _MIN_PAIRS else ()


def control_rows(
    latents: pd.DataFrame, tables: Mapping[str, pd.DataFrame], groups: tuple[np.ndarray, ...]
) -> tuple[Row, ...]:
    """Every figure that enough pairs have, and that anything has some of (good names need words)."""
    rows = []
    for column, name, share in _FIGURES:
        pairs = {kind: _pairs(latents, table, column) for kind, table in tables.items()}
        against = {kind: found for kind, both in pairs.items() if (found := _against(both, share)) is not None}
        if len(against) == len(tables) and any(np.nansum(np.abs(both)) for both in pairs.values()):
            varied = pairs["covariance"]
            by_density = tuple(_against(varied[:, group], share) for group in groups)
            rows.append(Row(name, _written(varied[0], share), against, by_density))
    return tuple(rows)


def _pairs(latents: pd.DataFrame, table: pd.DataFrame, column: str) -> Float64[np.ndarray, "2 n"]:
    return np.stack([latents[column].loc[table["like_latent"]].to_numpy(float), table[column].to_numpy(float)])


def _against(both: Float64[np.ndarray, "2 n"], share: bool) -> Against | None:
    known = np.isfinite(both).all(0)
    if known.sum() < _MIN_PAIRS:
        return None
    ours, theirs = both[:, known]
    yes_or_no = bool(np.isin(both[:, known], (0, 1)).all())
    low, high = paired_share_interval(ours, theirs) if yes_or_no else mean_interval(ours - theirs)
    verdict: Verdict = "higher" if low > 0 else "lower" if high < 0 else "unclear"
    return Against(
        _written(both[1], share), _bounded((low + high) / 2, (high - low) / 2, share), verdict, int(known.sum())
    )


def _written(values: np.ndarray, share: bool) -> str:
    mean = float(np.nanmean(values))
    return percent(mean) if share else figure(mean)


def _bounded(step: float, half: float, share: bool) -> str:
    """`−0.019 ± 0.010`, `+9.4 ± 5.7 points`."""
    scale, digits, unit = (100, 1, " points") if share else (1, 3, "")
    return f"{signed(scale * step, digits)} ±{NBSP}{figure(scale * half, digits)}{unit}"
