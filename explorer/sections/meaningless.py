"""What the words that chose a side are worth, in sentences: meaningless strings in their place."""

from __future__ import annotations

from html import escape

from explorer.definitions import DEFINITIONS
from explorer.sections.parts import caution, help_mark
from explorer.views.compare import Comparison
from explorer.views.meaningless import Meaningless
from explorer.wording import figure, plural

_OTHER = {"a": "B", "b": "A"}


def cosine_controls(view: Comparison) -> str:
    """The cosine that they have with the other side; nothing where no words chose a side, or both are one."""
    return "" if view.equal else "".join(_cosine(view, one) for one in view.meaningless)


def overlap_controls(view: Comparison) -> str:
    """The latents that they share with the other side."""
    said = " ".join(
        f"Meaningless strings instead of {one.side.upper()}’s words share {one.n_both.median:,.0f} with "
        f"{_OTHER[one.side]} in the median, over {one.n_both.high:,.0f} for one in twenty."
        for one in view.meaningless
    )
    return f'<p class="sp-dim">{escape(said)}</p>' if said else ""


def _cosine(view: Comparison, one: Meaningless) -> str:
    median, high = (figure(value, 3) for value in one.cosine)
    n = plural(view.side(one.side).n_pictures, "picture")
    said = (
        f"{n} nearest to a meaningless string of letters, instead of {one.side.upper()}’s words, have {median} with "
        f"{_OTHER[one.side]} in the median, over {high} for one string in twenty."
    )
    no_more = view.chance.high < view.cosine <= one.cosine.high
    weak = caution(f"{one.side.upper()}’s words have no more than that.", "status") if no_more else ""
    return f'<p class="sp-dim">{escape(said)}{help_mark(DEFINITIONS["meaningless"])}{weak}</p>'
