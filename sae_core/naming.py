"""When an automatic name says what a latent is: the rule that the builder applies and the app explains."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool
from numpy.typing import ArrayLike

Match = Literal["text", "clip"]

# A name is good from this held-out AUC on, if its lower 95 % bound is not below the second figure. A yes-or-no test
# scores lower by nature: 0.75 is half of the active images and none of the others.
GOOD: dict[Match, tuple[float, float]] = {"text": (0.75, 0.65), "clip": (0.85, 0.7)}
# CLIP finds a name that it likes for most directions, random ones, too. Such a name is borne out where so many of the
# strongest images carry it in their own label or caption, and so many times more than images do by chance.
CARRIED_AMONG = 12
MIN_CARRIED = 3
MIN_LIFT = 3.0
MIN_GOOD = 8  # held-out images; of fewer the bound promises too much


def scores_well(match: str | None, score: float | None, low: float | None) -> bool:
    """Whether score and bound are those of a good name, on however few images."""
    if match not in GOOD or score is None or low is None:
        return False
    least, least_low = GOOD[match]
    return score >= least and low >= least_low


def borne_out(match: ArrayLike, carried: ArrayLike, by_chance: ArrayLike) -> Bool[np.ndarray, "..."]:
    """Whether labels or captions say what names say: all that `text` means, or else those of the strongest images.

    `carried` of at most CARRIED_AMONG images carry the name, and of as many drawn ones `by_chance`; NaN: not known.
    """
    enough = np.fmax(MIN_CARRIED, MIN_LIFT * np.asarray(by_chance, dtype=float))
    return np.asarray((np.asarray(match, dtype=object) == "text") | (np.asarray(carried, dtype=float) >= enough))
