"""Pairs of latents that are alike, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.cards import strip
from explorer.views.duplicates import Duplicates, ShownPair
from explorer.wording import count, figure, percent


def overlap(view: Duplicates) -> str:
    """The answer by pictures, beside the chart of the directions."""
    return (
        f'<section class="sp-ends"><div><h3>By their pictures{parts.help_mark(DEFINITIONS["jaccard"])}</h3>'
        f"<p>{escape(view.overlap)}</p></div></section>"
    )


def pairs(view: Duplicates) -> str:
    """The closest directions, and the latents that share most pictures."""
    inside = _pairs("Closest directions", view.closest) + _pairs("Most pictures in common", view.overlapping)
    return f"<section data-spa>{inside}</section>"


def _pairs(title: str, shown: Iterable[ShownPair]) -> str:
    rows = "".join(map(_pair, shown))
    return f'<h3 class="sp-sub">{title}</h3><div class="sp-pairs">{rows}</div>' if rows else ""


def _pair(one: ShownPair) -> str:
    cards = "".join(
        f'<div class="sp-stripcard">{strip(card)}<div class="sp-line">{parts.latent_link(card.ref)}</div></div>'
        for card in one.cards
    )
    a, b = one.pair.latents
    both = "1 picture shared" if one.pair.n_both == 1 else f"{count(one.pair.n_both)} pictures shared"
    said = (
        f"cosine {figure(one.pair.cosine)} · {both} ({percent(one.pair.jaccard)}; by chance {percent(one.pair.chance)})"
    )
    link = f'<a class="sp-under" href="{escape(one.compare_href)}" aria-label="compare #{a} and #{b}">compare</a>'
    return f'<div class="sp-pair">{cards}<p>{parts.dim(said)} {link}</p></div>'
