"""When an automatic name says what a latent is: the rule that the builder applies and the app explains."""

from __future__ import annotations

from typing import Literal

Match = Literal["text", "clip"]

# A name is good from this held-out AUC on, if its lower 95 % bound is not below the second figure. A yes-or-no test
# scores lower by nature: 0.75 is half of the active images and none of the others.
GOOD: dict[Match, tuple[float, float]] = {"text": (0.75, 0.65), "clip": (0.85, 0.7)}
MIN_GOOD = 8  # held-out images; of fewer the bound promises too much


def scores_well(match: str | None, score: float | None, low: float | None) -> bool:
    """Whether score and bound are those of a good name, on however few images."""
    if match not in GOOD or score is None or low is None:
        return False
    least, least_low = GOOD[match]
    return score >= least and low >= least_low
