"""What galleries hide: pictures that are called as a latent is, in which it is not active."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.bars import share_bar
from explorer.views.latent_recall import Recall
from explorer.wording import percent


def recall(found: Iterable[Recall], density: float) -> str:
    """Of the pictures that are said to show the same, how many it finds; the others are in no gallery."""
    line = parts.head("How many it finds", DEFINITIONS["recall"], parts.dim("of them / of all"))
    rows = "".join(_recall_row(one, density) for one in found)
    return rows and f'<section data-spa>{line}<div class="sp-labels">{rows}</div></section>'


def _recall_row(one: Recall, density: float) -> str:
    said = f"{'labelled' if one.by_label else 'that say'} “{isolated(one.text)}”"
    if one.share is None or one.n is None or one.n_missed is None:
        way = f'<a class="sp-under" href="{escape(one.href)}">those where it is not active</a>'
        return f'<div class="sp-label"><span>pictures {escape(said)}: {way}</span></div>'
    both = f'<span class="sp-num">{percent(one.share)} {parts.dim(f"/ {percent(density)}")}</span>'
    way = f"{one.n_missed:,} more, where it is not active"
    way = f'<a class="sp-under" href="{escape(one.href)}">{way}</a>' if one.n_missed else "it is active in all of them"
    found = f'<span class="sp-dim sp-stands">in {one.n_active:,} of {one.n:,}; {way}</span>'
    return f'<div class="sp-label"><span>{escape(said)}</span>{both}{share_bar(one.share, density)}{found}</div>'
