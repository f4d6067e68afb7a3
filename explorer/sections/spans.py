"""The Spans page's sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.sides import side
from explorer.views.compare_examples import Example
from explorer.views.energy import N_DRAWS, Energy
from explorer.views.random_energy import N_ALONE
from explorer.views.sides import Side
from explorer.views.spans_query import OWN, SpansQuery


def form(query: SpansQuery, labels: Iterable[str]) -> str:
    """One box; everything else that the address says is carried along."""
    options = "".join(f'<option value="{escape(label)}"></option>' for label in labels)
    kept = "".join(
        f'<input type="hidden" name="{escape(str(key))}" value="{escape(str(value))}">'
        for key, value in query.params.items()
        if key in OWN and key != "of" and value is not None
    )
    return (
        f'<form class="sp-filter sp-chooser" action="{links.SPANS}" method="get" data-form data-spa>'
        f'<div class="sp-fields"><label>Pictures <input type="search" name="of" value="{escape(query.of)}" '
        'maxlength="400" autocomplete="off" list="sp-choices" placeholder="12, #340 #77, a label, words, upload" '
        f'aria-label="whose concept spans"></label>{kept}<button type="submit" class="sp-copy">show</button></div>'
        f'<datalist id="sp-choices">{options}</datalist></form>'
    )


def invitation(examples: Iterable[Example]) -> str:
    """Before anything is chosen: what this page asks, and choices to begin with."""
    return (
        "<section><h1>Concept spans</h1><p class='sp-lead'>Is it true that related pictures are explained by few "
        "shared concepts? Choose pictures, and see how much of them a handful of directions "
        "holds, and what chance would.</p>"
        f"</section>{''.join(map(_example, examples))}"
    )


def chosen(view: Side, uploads: Mapping[str, str]) -> str:
    """What the page is about; `uploads` are the visitor's own pictures, data URIs by how addresses write them."""
    return side(view, upload_uri=uploads.get(view.said), way=("compare it", links.compare_url({"a": view.said})))


def energy_head(view: Energy, query: SpansQuery) -> str:
    """The question, the answer, and the switch."""
    what = "from the store’s mean" if view.centred else "whole embeddings"
    switch = (
        f'<a class="sp-under" href="{escape(query.url(centred=not view.centred))}">'
        f"{'take whole embeddings' if view.centred else 'measure from the store’s mean'}</a>"
    )
    line = parts.head(
        f"How much of {'this picture do its' if view.n_pictures == 1 else 'these pictures do their'} strongest "
        "concepts hold?",
        DEFINITIONS["energy_centred" if view.centred else "energy"],
        f'<span class="sp-dim">{what} · {switch}{_directions(view, query)}</span>',
    )
    return f'<div data-spa>{line}<p class="sp-lead">{escape(view.sentence)}</p></div>'


def _directions(view: Energy, query: SpansQuery) -> str:
    """Other numbers of directions, for the sentence."""
    offered = [j for j in (1, 2, 4, 8, 16, 32) if j < view.most] + [view.most]
    if view.most < 2:
        return ""
    choices = " · ".join(
        f"<b>{j}</b>" if j == view.j else other_link(query.url(j=None if j == view.most else j), str(j))
        for j in sorted({*offered, view.j})
    )
    return f" · directions told: {choices}"


def other_link(href: str, text: str) -> str:
    """The same page with another choice."""
    return f'<a class="sp-under" href="{escape(href)}">{text}</a>'


def energy_note(view: Energy, query: SpansQuery) -> str:
    """What the bands are, and other draws."""
    own = "" if view.n_pictures == 1 else "Lines are medians over the pictures, the band 10 to 90 % of them. "
    drawn = f"Random pictures: {N_ALONE}. Bands of what is drawn: 5 to 95 % of {N_DRAWS} draws."
    said = f"{own}{drawn} The best span is of {view.pca_of}."
    again = other_link(query.url(seed=query.seed + 1), "draw other random latents and pictures")
    return f'<p data-spa>{parts.dim(said)} <span class="sp-dim">{again}</span></p>'


def _example(example: Example) -> str:
    pictures = "".join(parts.picture(tile, 104) for tile in example.a)
    return (
        f'<section data-spa><div class="sp-head"><h2><a href="{escape(example.href)}">{escape(example.title)}</a></h2>'
        f'<span class="sp-dim">{escape(example.why)}</span></div>'
        f'<a class="sp-half sp-wide" href="{escape(example.href)}" aria-label="{escape(example.title)}">{pictures}</a>'
        "</section>"
    )
