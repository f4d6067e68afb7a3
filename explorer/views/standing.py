"""Where one latent's figure stands among random directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.wording import percent
from sae_core import LatentStore

_AROUND = 64  # random directions whose density is closest
_LEAST = 16  # that must have the figure


@dataclass(frozen=True)
class Standing:
    """A figure among those of random directions."""

    share_below: float  # of the random directions
    median: float  # of theirs
    n: int  # random directions

    @property
    def words(self) -> str:
        """`above 97 % of 64`; "all" and "none" are said of so many, and not as a share."""
        if self.share_below in (0, 1):
            return f"above {'all' if self.share_below else 'none of'} {self.n}"
        return f"above {percent(self.share_below)} of {self.n}"


def standing(store: LatentStore, latent: int, column: str) -> Standing | None:
    """Among the random directions that are about as frequent. None without them, or without the figure."""
    row: Any = store.latents.loc[latent]
    return among(store, column, float(row[column]), int(row["n_active"]))


def among(store: LatentStore, column: str, value: float, n_active: int | None = None) -> Standing | None:
    """Of a value: among the random directions that are about as frequent, or all of them."""
    directions = store.random_directions
    if directions is None or not np.isfinite(value) or n_active == 0:
        return None
    known = directions[directions[column].notna() & (directions["n_active"] > 0)]
    if n_active is not None:
        apart = np.abs(np.log(known["n_active"].to_numpy() / n_active))
        known = known.iloc[np.argsort(apart, kind="stable")[:_AROUND]]
    if len(known) < _LEAST:
        return None
    others = known[column].to_numpy(float)
    return Standing(float((others < value).mean()), float(np.median(others)), len(others))
