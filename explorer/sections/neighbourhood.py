"""The Spans page's sections on how few concepts explain a neighbourhood."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.cards import latent_cards
from explorer.sections.spans import other_link
from explorer.views.few_latents import Few, Range, SetRow, Spread, written
from explorer.views.neighbourhood import Neighbourhood
from explorer.views.spans_query import SIZES, SpansQuery
from explorer.wording import percent, plural


def neighbourhood_head(view: Neighbourhood, query: SpansQuery) -> str:
    """The question, the answer, and other sizes."""
    sizes = " · ".join(
        f"<b>{size}</b>" if size == query.n else other_link(query.url(n=size), str(size))
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
    cards = latent_cards(view.cards, shares)
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
