"""The filter bar of the Latents page: a plain form, whose fields are the address."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections.fields import text_field
from explorer.sections.parts import help_mark
from explorer.views.latents import LatentsPage
from explorer.views.latents_query import AGAINST, LIVES, MAX_TEXT, MAX_WORDS, NAMES
from explorer.wording import figure, percent

_DENSITIES = ("0.0001", "0.001", "0.01", "0.1")
_PURITIES = ("0.25", "0.5", "0.75", "0.9")
_SCORES = ("0.6", "0.7", "0.8", "0.9")


def filter_bar(view: LatentsPage) -> str:
    """Searches in the first line, figures and order in the second; on a phone it folds."""
    return (
        '<h1 class="sp-hidden">Latents</h1>'
        f'<form class="sp-filter" action="{links.LATENTS}" method="get" data-form data-auto>{_kept(view)}'
        '<button type="button" class="sp-skip" data-skip=".sp-cards, .sp-note">Skip the filters</button><details>'
        f'<summary>search by meaning, filter, sort</summary><div class="sp-fields">{_searches(view)}</div>'
        f'<div class="sp-fields">{_figures(view)}</div><button type="submit" class="sp-apply">apply</button></details>'
        "</form>"
    )


def _searches(view: LatentsPage) -> str:
    query = view.query
    meaning = text_field("text", "meaning", query.text, "a red flower", MAX_TEXT, "sp-meaning")
    against = _select("by", "compared with", AGAINST, query.by)
    words = text_field("q", "words", query.q, "of a name or label", MAX_WORDS)
    if not view.labels:
        return meaning + against + words
    options = "".join(f'<option value="{escape(label)}"></option>' for label in view.labels)
    label = text_field("label", "most common label", query.label, "one label", MAX_TEXT, options="sp-known-labels")
    return f'{meaning}{against}{words}{label}<datalist id="sp-known-labels">{options}</datalist>'


def _figures(view: LatentsPage) -> str:
    query = view.query
    fields = [
        _select("sort", "sort by", view.sorts, query.sort),
        _select("life", "show", LIVES, query.life),
        _select("min", "density from", _steps(_DENSITIES, query.min), query.min),
        _select("max", "to", _steps(_DENSITIES, query.max), query.max),
    ]
    if "label_purity" in view.columns:
        fields.append(_select("purity", "label purity from", _steps(_PURITIES, query.purity), query.purity))
    if "name_score" in view.columns:
        fields.append(_select("score", "name score from", _steps(_SCORES, query.score, share=False), query.score))
        names = _select("names", "names", NAMES, query.names)
        fields.append(f"<span>{names}{help_mark(DEFINITIONS['names'])}</span>")
    return "".join(fields)


def _kept(view: LatentsPage) -> str:
    """What the form has no field for stays in the address."""
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in view.query.params.items()
        if name in ("image", "region", "latents", "again", "tells", "least")
    )


def _select(name: str, label: str, options: Mapping[str, str], chosen: str) -> str:
    inside = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options.items()
    )
    return f'<label>{escape(label)} <select name="{name}" aria-label="{escape(label)}">{inside}</select></label>'


def _steps(values: tuple[str, ...], chosen: str, *, share: bool = True) -> dict[str, str]:
    """The usual values, and the one that the address asks for."""
    known = sorted({*values, *([chosen] if chosen else [])}, key=float)
    return {"": "any", **{value: percent(float(value)) if share else figure(float(value)) for value in known}}
