"""Page numbers as real links."""

from __future__ import annotations

from html import escape

from explorer.views.paging import Paging
from explorer.wording import plural


def pager(paging: Paging, noun: str) -> str:
    """Where we are and links to the other pages, the last one included."""
    if paging.n_pages == 1:
        return ""
    numbers = "".join(_page_link(paging, number) for number in paging.shown)
    before = _step(paging, paging.page - 1, "‹ previous", "prev")
    after = _step(paging, paging.page + 1, "next ›", "next")
    return f'<nav class="sp-pager" aria-label="pages of {escape(noun)}" data-spa>{before}{numbers}{after}</nav>'


def steps(paging: Paging) -> str:
    """To the pages beside this one, small, for the top of a long page."""
    if paging.n_pages == 1:
        return ""
    before = _step(paging, paging.page - 1, "‹", "prev", "previous page")
    after = _step(paging, paging.page + 1, "›", "next", "next page")
    return f'<span class="sp-steps" data-spa>{before}{after}</span>'


def range_text(paging: Paging, noun: str) -> str:
    """`1–48 of 1,204 pictures`."""
    if paging.n_items <= paging.per_page:
        return plural(paging.n_items, noun)
    return f"{paging.start + 1:,}–{paging.stop:,} of {plural(paging.n_items, noun)}"


def _page_link(paging: Paging, number: int | None) -> str:
    if number is None:
        return '<span class="sp-gap">…</span>'
    if number == paging.page:
        return f'<b aria-current="page">{number:,}</b>'
    return f'<a href="{escape(paging.url(number))}" aria-label="page {number}">{number:,}</a>'


def _step(paging: Paging, number: int, text: str, rel: str, name: str = "") -> str:
    if not 1 <= number <= paging.n_pages:
        return f'<span class="sp-off" role="link" aria-disabled="true">{text}</span>'
    label = f' aria-label="{name}"' if name else ""
    return f'<a rel="{rel}" href="{escape(paging.url(number))}"{label}>{text}</a>'
