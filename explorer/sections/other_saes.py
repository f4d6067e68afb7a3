"""What the Quality page says of other SAEs."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.quality import end
from explorer.views.other_saes import OtherSAE


def beside_chart(one: OtherSAE) -> str:
    """Beside the chart of the directions: the answer by pictures, and the way to all latents by their directions."""
    way = f'<a class="sp-under" href="{escape(one.href)}">all latents by their nearest direction there</a>'
    return f'<section class="sp-ends" data-spa>{_by_pictures(one)}<p class="sp-dim">{way}</p></section>'


def _by_pictures(one: OtherSAE) -> str:
    """With the latents at both ends."""
    if not one.by_pictures:
        return ""
    ends = end("most pictures in common", one.best) + end("fewest", one.least)
    mark = parts.help_mark(DEFINITIONS["shared_again"])
    return f"<div><h3>By their pictures{mark}</h3><p>{escape(one.by_pictures)}</p></div>{ends}"


def problems(sentences: Iterable[str]) -> str:
    """Stores that were named and cannot be compared."""
    return "".join(map(parts.refusal, sentences))
