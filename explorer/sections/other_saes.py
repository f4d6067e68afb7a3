"""What the Quality page says of other SAEs."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.quality import end
from explorer.views.other_saes import OtherSAE


def by_pictures(one: OtherSAE) -> str:
    """The answer by pictures, beside the chart of the directions, and the latents at both ends."""
    if not one.by_pictures:
        return ""
    ends = end("most pictures in common", one.best) + end("fewest", one.least)
    mark = parts.help_mark(DEFINITIONS["shared_again"])
    return (
        f'<section class="sp-ends" data-spa><div><h3>By their pictures{mark}</h3>'
        f"<p>{escape(one.by_pictures)}</p></div>{ends}</section>"
    )


def problems(sentences: Iterable[str]) -> str:
    """Stores that were named and cannot be compared."""
    return "".join(map(parts.refusal, sentences))
