"""What is said of the angles between two spans."""

from __future__ import annotations

from html import escape

from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.views.angles import Angles
from explorer.wording import figure, plural

_UNKNOWN = "too few other latents are active to say what chance gives"


def angles_head(angles: Angles | None) -> str:
    """The question, and the answer in a sentence."""
    if angles is None:
        head = parts.head("Do they span the same directions?")
        return f"<section>{head}<p>A side has no active latent: there is no span to compare.</p></section>"
    tip = DEFINITIONS["angles"].format(d=angles.d_embed)
    p, q = angles.dimensions
    head = parts.head("Do they span the same directions?", tip, parts.dim(f"{p} and {q} dimensions"))
    return f"{head}<p>{escape(_answer(angles))}.</p>"


def _answer(angles: Angles) -> str:
    n, shared, below = len(angles.degrees), angles.n_shared, angles.n_below_chance
    if n == 1:
        low, high = (figure(band[0], 0) for band in (angles.latents.low, angles.latents.high))
        chance = f"that of random latents of equal density {low}° to {high}° (90 % of draws)"
        return f"Their angle is {figure(angles.degrees[0], 1)}°; {chance if angles.known else _UNKNOWN}"
    smaller = f"{below or 'none'} smaller than in 95 % of draws of random latents of equal density"
    none = "None" if not shared else f"{shared}"
    return (
        f"{none} of {plural(n, 'angle')} {'is' if shared == 1 else 'are'} zero (directions that both spans hold); "
        f"{smaller if angles.known else _UNKNOWN}"
    )
