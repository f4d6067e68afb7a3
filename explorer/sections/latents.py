"""The Latents page's sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape

from explorer import links
from explorer.sections.parts import help_mark, note
from explorer.views.latents import DENSITIES, LIVES, PURITIES, LatentsPage, LatentsQuery
from explorer.wording import percent, plural


def filter_bar(view: LatentsPage) -> str:
    """A plain form: its fields are the address, so Back, links and reloads need nothing else."""
    query = view.query
    fields = [
        _select("sort", "sort by", view.sorts, query.sort),
        _select("life", "show", LIVES, query.life),
        _select("min", "density from", _shares(DENSITIES, "any"), query.min),
        _select("max", "to", _shares(DENSITIES, "any"), query.max),
    ]
    if "purity" in view.sorts:
        fields.append(_select("purity", "label purity from", _shares(PURITIES, "any"), query.purity))
    words = f'<input type="hidden" name="q" value="{escape(query.q)}">' if query.q else ""
    return (
        f'<form class="sp-filter" action="{links.LATENTS}" method="get" data-form data-auto>{words}{"".join(fields)}'
        '<button type="submit" class="sp-apply">apply</button></form>'
    )


def summary(view: LatentsPage) -> str:
    """How many match, and what narrows them."""
    if view.paging.n_items == view.n_latents:
        said = f"all {plural(view.n_latents, 'latent')}"
    else:
        said = f"{view.paging.n_items:,} of {plural(view.n_latents, 'latent')}"
    chips = ""
    if view.query.q:
        without = links.latents_url(replace(view.query, q="").params)
        chips = (
            f'<a class="sp-chip" href="{escape(without)}" aria-label="clear the search">“{escape(view.query.q)}” ×</a>'
        )
    where = f", page {view.paging.page:,} of {view.paging.n_pages:,}" if view.paging.n_pages > 1 else ""
    rule = "" if view.query.sort else help_mark(f"Most striking first: {view.striking_rule}; the others follow.")
    return f'<div class="sp-summary" data-spa><span role="status">{said}{where}{rule}</span>{chips}</div>'


def nothing(query: LatentsQuery, n_latents: int) -> str:
    """No latent matches."""
    if query.number is not None and query.number >= n_latents:
        why = f"This store has latents 0 … {n_latents - 1:,}; there is no {query.number:,}."
    else:
        why = "No latent of this store matches all of these conditions."
    return note("Nothing found", f'<p>{escape(why)}</p><p><a href="{links.LATENTS}">Show all latents</a></p>')


def _select(name: str, label: str, options: Mapping[str, str], chosen: str) -> str:
    inside = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options.items()
    )
    return f'<label>{escape(label)} <select name="{name}" aria-label="{escape(label)}">{inside}</select></label>'


def _shares(values: tuple[str, ...], nothing_said: str) -> dict[str, str]:
    return {"": nothing_said, **{value: percent(float(value)) for value in values}}
