"""The Quality page's sections."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.sections import parts
from explorer.views.distributions import Distribution, Extreme
from explorer.views.quality import Figure, Quality


def introduction(view: Quality) -> str:
    """The figures that are one number each."""
    figures = "".join(_figure(one) for one in view.figures)
    return (
        f'<div class="sp-title"><h1>Quality</h1></div><p class="sp-lead">{escape(view.sentence)}</p>'
        f'<dl class="sp-facts sp-card-facts" data-spa aria-label="report card of the SAE">{figures}</dl>'
        f"<p>{parts.dim(_CAUTION)}</p>"
    )


_CAUTION = (
    "The baselines below are random pictures and names, not random directions: the strongest pictures of any direction "
    "through the data resemble one another. Being above them is needed, and does not show that it takes an SAE."
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
