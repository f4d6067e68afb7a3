"""What is said of the angles between two spans."""

from __future__ import annotations

from explorer.sections import parts
from explorer.views.angles import Angles
from explorer.wording import DEFINITIONS, plural


def angles_head(angles: Angles | None) -> str:
    """The question, and the answer in a sentence."""
    if angles is None:
        head = parts.head("Do they span the same directions?")
        return f"<section>{head}<p>A side has no active latent: there is no span to compare.</p></section>"
    tip = DEFINITIONS["angles"].format(d=angles.d_embed)
    p, q = angles.dimensions
    head = parts.head("Do they span the same directions?", tip, parts.dim(f"{p} and {plural(q, 'dimension')}"))
    n = len(angles.degrees)
    shared = f"{angles.n_shared} of {plural(n, 'angle')} {'is' if angles.n_shared == 1 else 'are'} zero"
    below = f"{angles.n_below_chance} smaller than 95 % of random latents’ spans have them"
    return f"{head}<p>{shared} (directions that both spans hold), {below}.</p>"
