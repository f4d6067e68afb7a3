"""The Spans page's sections."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.sides import side
from explorer.views.compare_examples import Example
from explorer.views.energy import N_DRAWS, Energy
from explorer.views.few_latents import Few, Range, SetRow, Spread, written
from explorer.views.neighbourhood import Neighbourhood
from explorer.views.random_energy import N_ALONE
from explorer.views.sides import Side
from explorer.views.spans_query import OWN, SIZES, SpansQuery
from explorer.wording import percent, plural


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


def chosen(view: Side, upload_uri: str | None) -> str:
    """What the page is about."""
    return side(view, upload_uri=upload_uri, way=("compare it", links.compare_url({"a": view.said})))


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
        f"<b>{j}</b>" if j == view.j else _other(query.url(j=None if j == view.most else j), str(j))
        for j in sorted({*offered, view.j})
    )
    return f" · directions told: {choices}"


def _other(href: str, text: str) -> str:
    return f'<a class="sp-under" href="{escape(href)}">{text}</a>'


def energy_note(view: Energy, query: SpansQuery) -> str:
    """What the bands are, and other draws."""
    own = "" if view.n_pictures == 1 else "Lines are medians over the pictures, the band 10 to 90 % of them. "
    drawn = f"Random pictures: {N_ALONE}. Bands of what is drawn: 5 to 95 % of {N_DRAWS} draws."
    said = f"{own}{drawn} The best span is of {view.pca_of}."
    again = _other(query.url(seed=query.seed + 1), "draw other random latents and pictures")
    return f'<p data-spa>{parts.dim(said)} <span class="sp-dim">{again}</span></p>'


def neighbourhood_head(view: Neighbourhood, query: SpansQuery) -> str:
    """The question, the answer, and other sizes."""
    sizes = " · ".join(
        f"<b>{size}</b>" if size == query.n else _other(query.url(n=size), str(size))
        for size in sorted({*SIZES, query.n})
    )
    line = parts.head(
        "How few concepts explain this neighbourhood?",
        DEFINITIONS["neighbourhood"],
        f'<span class="sp-dim">nearest pictures: {sizes}</span>',
    )
    return f'<div data-spa>{line}<p class="sp-lead">{escape(view.sentence)}</p></div>'


def neighbourhood_table(view: Neighbourhood) -> str:
    """Numbers of latents that are enough, for each set."""
    groups = (
        ("active", ""),
        ("for the mass", DEFINITIONS["few_mass"]),
        ("for the energy", DEFINITIONS["few_energy"]),
        ("for the labels", DEFINITIONS["few_labels"]),
    )
    heads = "".join(
        f'<th scope="col">{name}{parts.help_mark(tip) if tip else ""}{"<br>90 · 95 · 99 %" if tip else ""}</th>'
        for name, tip in groups
    )
    drawn = [spread if spread.n_draws > 1 else None for spread in view.spreads]
    spreads = [None] * (len(view.rows) - len(drawn)) + drawn
    rows = "".join(_row(row, spread) for row, spread in zip(view.rows, spreads, strict=True))
    return (
        f'<section><div class="sp-scroll"><table class="sp-table"><tr><td></td>{heads}</tr>{rows}</table></div>'
        f"<p>{parts.dim(_PAPER)}</p></section>"
    )


def concepts(view: Neighbourhood) -> str:
    """The few concepts themselves, with their share of the mass, and the pictures."""
    head = parts.head("These few", DEFINITIONS["few_mass"], parts.dim("share of the neighbourhood’s activation"))
    shares = [f'<p class="sp-dim">{percent(card.figure or 0.0)} of its activation</p>' for card in view.cards]
    cards = parts.latent_cards(view.cards, shares)
    n = view.rows[0].n_pictures
    beside = parts.dim(f"{len(view.tiles)} of {plural(n, 'picture')}" if n > len(view.tiles) else plural(n, "picture"))
    pictures = parts.head("The neighbourhood", DEFINITIONS["nearest_plain"], beside) + parts.gallery(view.tiles)
    return f"<section>{head}{cards}</section><section>{pictures}</section>"


_PAPER = (
    "For reference, ImageNet with the published SAE (4,096 latents, k = 16), as reported second-hand of arXiv "
    "2509.24510: about 180 latents are active in a neighbourhood of 50, about 40 are needed."
)


def _row(row: SetRow, spread: Spread | None) -> str:
    """`spread`: what other draws of this row say, under its figures."""
    labels = "–" if row.labels is None else _few(row.labels)
    cells = [f"{row.n_union:,}", _few(row.mass), _few(row.energy), labels]
    said = plural(row.n_pictures, "picture")
    if spread:
        others = ((spread.n_union,), spread.mass, spread.energy, spread.labels or ())
        cells = [f"{cell}{_ranges(found)}" for cell, found in zip(cells, others, strict=True)]
        said += f"; under it the range of {spread.n_draws} draws"
    inside = "".join(f'<td class="sp-num">{cell}</td>' for cell in cells)
    return f'<tr><th scope="row">{escape(row.name)}<br>{parts.dim(said)}</th>{inside}</tr>'


def _ranges(found: Iterable[Range]) -> str:
    """In a line of its own; on a phone a range a line."""
    inside = " · ".join(f"<span>{written(one).replace(' to ', '–')}</span>" for one in found)
    return f'<div class="sp-dim sp-ranges">{inside}</div>'


def _few(few: Few) -> str:
    return " · ".join("–" if number is None else f"{number:,}" for number in few)


def _example(example: Example) -> str:
    pictures = "".join(parts.picture(tile, 104) for tile in example.a)
    return (
        f'<section data-spa><div class="sp-head"><h2><a href="{escape(example.href)}">{escape(example.title)}</a></h2>'
        f'<span class="sp-dim">{escape(example.why)}</span></div>'
        f'<a class="sp-half sp-wide" href="{escape(example.href)}" aria-label="{escape(example.title)}">{pictures}</a>'
        "</section>"
    )
