"""Where one latent's figure stands among random directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from explorer.views.controls import controls_of
from explorer.views.striking import MIN_PICTURES
from explorer.wording import percent
from sae_core import LatentStore

_AROUND = 64  # random directions whose density is closest
LEAST = 16  # that must have the figure
ALIKE = 1.5  # times as many pictures, or as few, that still count as equally frequent


@dataclass(frozen=True)
class Standing:
    """A figure among those of random directions."""

    share_below: float  # of the random directions; equal ones count half
    median: float  # of theirs
    n: int  # random directions

    @property
    def words(self) -> str:
        """`above 97 % of 64`; "all" and "none" are said of so many, and not as a share."""
        if self.share_below in (0, 1):
            return f"above {'all' if self.share_below else 'none of'} {self.n:,}"
        return f"above {percent(self.share_below)} of {self.n:,}"


def standing(store: LatentStore, latent: int, column: str) -> Standing | None:
    """Among the random directions that are about as frequent.

    None without the figure, or enough of them, or where it is a figure of few pictures.
    """
    near, row = _as_frequent(store, latent, column), cast(Any, store.latents.loc[latent])
    return None if near is None else among(near, column, float(row[column]))


def share_with_good_names(store: LatentStore, latent: int) -> float | None:
    """Of the random directions that are about as frequent; None where there are too few."""
    near = _as_frequent(store, latent, "name_good")
    return None if near is None or len(near) < LEAST else float(near["name_good"].mean())


def _as_frequent(store: LatentStore, latent: int, column: str) -> pd.DataFrame | None:
    """The random directions of nearest density that have the figure; None for a latent of few pictures."""
    n_active: Any = store.latents.at[latent, "n_active"]
    controls = controls_of(store, "covariance")
    if controls is None or n_active < MIN_PICTURES:
        return None
    apart = np.abs(np.log(controls["n_active"] / n_active))
    near = controls[controls[column].notna() & (apart <= np.log(ALIKE))]
    nearest: pd.DataFrame = near.loc[apart[near.index].sort_values(kind="stable").index[:_AROUND]]
    return nearest


def standing_of_effect(store: LatentStore, z: float) -> Standing | None:
    """Of the largest effect on a label, which has nothing to do with density: among all of them."""
    controls = controls_of(store, "covariance")
    return None if controls is None else among(controls[controls["effect_z"].notna()], "effect_z", z)


def among(controls: pd.DataFrame, column: str, value: float) -> Standing | None:
    """Among these."""
    if len(controls) < LEAST or not np.isfinite(value):
        return None
    return among_values(controls[column].to_numpy(float), value)


def among_values(others: np.ndarray, value: float) -> Standing:
    """Among these figures, of one random direction or more."""
    below = float((others < value).mean() + (others == value).mean() / 2)
    return Standing(below, float(np.median(others)), len(others))
