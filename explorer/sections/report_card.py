"""Figures in a row, each with its definition and, underneath, its baseline."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.sections import parts
from explorer.views.report_card import Figure


def report_card(figures: Iterable[Figure], end: str = "") -> str:
    """The SAE's figures; `end` is HTML beside them."""
    inside = "".join(map(_figure, figures))
    row = f'<dl aria-label="report card of the SAE">{inside}</dl>'
    return f'<div class="sp-facts sp-card-facts" data-spa>{row}{end}</div>'


def _figure(one: Figure) -> str:
    value = escape(one.value)
    if one.url:
        value = f'<a href="{escape(one.url)}">{value}</a>'
    return (
        f"<div><dt>{escape(one.name)}{parts.help_mark(one.definition)}</dt><dd>{value}</dd>"
        f'<dd class="sp-beside">{escape(one.beside)}</dd></div>'
    )
