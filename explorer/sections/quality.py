"""The Quality page's sections."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer import links
from explorer.sections import parts
from explorer.views.distributions import Distribution, Extreme
from explorer.views.quality import Figure, Quality
from explorer.views.random_directions import Against, Example, RandomDirections
from explorer.wording import plural


def introduction(view: Quality) -> str:
    """The figures that are one number each."""
    figures = "".join(_figure(one) for one in view.figures)
    return (
        f'<div class="sp-title"><h1>Quality</h1></div><p class="sp-lead">{escape(view.sentence)}</p>'
        f'<dl class="sp-facts sp-card-facts" data-spa aria-label="report card of the SAE">{figures}</dl>'
        f"{'' if view.random else f'<p>{parts.dim(_CAUTION)}</p>'}"
    )


_CAUTION = (
    "The baselines below are random pictures and names, not random directions, which this store was built without: the "
    "strongest pictures of any direction through the data resemble one another. Being above the baselines is needed, "
    "and does not show that it takes an SAE. A build by this version measures random directions, too."
)


def against(view: RandomDirections) -> str:
    """The latents beside random directions, and some of these to look at."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", "latents", "random", "difference (95 %)", ""))
    rows = "".join(map(_against, view.rows))
    table = f'<table class="sp-table sp-against"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    saved = f'<div class="sp-saves sp-against"><a class="sp-copy" href="{links.RANDOM_FILE}" download>CSV</a></div>'
    shown = "".join(map(_example, view.examples))
    examples = (
        f'<h3 class="sp-sub">What random directions look like</h3><div class="sp-strips">{shown}</div>'
        f"<p>{parts.dim(view.rule)}</p>"
    )
    return (
        f"<section data-spa>{parts.head('Does it take an SAE?', view.what)}<p>{escape(view.sentence)}</p>"
        f"{table}{saved}{f'<p>{parts.dim(view.caution)}</p>' if view.caution else ''}"
        f"{examples if view.examples else ''}</section>"
    )


def _against(row: Against) -> str:
    cells = (row.latents, row.random, f"{row.difference} {parts.dim(f'({row.interval})')}")
    tip = f"{plural(row.n, 'latent')}, each beside a random direction that is as frequent"
    return (
        f'<tr data-tip="{escape(tip)}"><th scope="row">{escape(row.name)}</th>'
        f"{''.join(f'<td>{cell}</td>' for cell in cells)}<td>{escape(row.verdict)}</td></tr>"
    )


def _example(one: Example) -> str:
    pictures = "".join(parts.picture(tile, 72) for tile in one.tiles)
    name = f"<b>{escape(one.name.text)}</b>" if one.name.text else f'<i data-tip="{escape(one.name.hint)}">unnamed</i>'
    return (
        f'<div class="sp-stripcard"><span class="sp-strip">{pictures}</span>'
        f'<div class="sp-line"><span>{name}</span>{parts.dim(one.figures)}</div></div>'
    )


def heading(one: Distribution) -> str:
    """The question that a chart answers, and the answer."""
    return f"{parts.head(one.title, one.definition)}<p>{escape(one.summary)}</p>"


def ends(one: Distribution, rule: str) -> str:
    """The latents at both ends, as links, and among which they were chosen."""
    everyone = f'<a class="sp-under" href="{escape(one.sorted_url)}">all latents by this figure</a>'
    high, low = one.ends
    return (
        f'<section class="sp-ends" data-spa>{_end(high, one.highest)}{_end(low, one.lowest)}'
        f'<p class="sp-dim">{escape(rule)} {everyone}</p></section>'
    )


def _figure(one: Figure) -> str:
    value = escape(one.value)
    if one.url:
        value = f'<a href="{escape(one.url)}">{value}</a>'
    return (
        f"<div><dt>{escape(one.name)}{parts.help_mark(one.definition)}</dt><dd>{value}</dd>"
        f'<dd class="sp-beside">{escape(one.beside)}</dd></div>'
    )


def _end(name: str, latents: Iterable[Extreme]) -> str:
    rows = "".join(
        f'<div class="sp-line">{parts.latent_link(one.ref)}<span class="sp-num">{escape(one.value)}</span></div>'
        for one in latents
    )
    return f"<div><h3>{escape(name)}</h3>{rows}</div>" if rows else ""
