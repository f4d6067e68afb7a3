"""The Quality page's sections."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.sections import parts
from explorer.sections.report_card import report_card
from explorer.views.distributions import Distribution, Extreme
from explorer.views.quality import Quality


def introduction(view: Quality) -> str:
    """The figures that are one number each; before them what they amount to where that is little."""
    warning = parts.refusal(view.warning) if view.warning else ""
    return (
        f'<div class="sp-title"><h1>Quality</h1></div><p class="sp-lead">{escape(view.sentence)}</p>'
        f"{warning}{report_card(view.figures)}"
        f"{'' if view.controls else f'<p>{parts.dim(_CAUTION)}</p>'}"
    )


_CAUTION = (
    "The baselines below are random pictures and names, not random directions, which this store was built without: the "
    "strongest pictures of any direction through the data resemble one another. Being above the baselines is needed, "
    "and does not show that it takes an SAE. A build by this version measures them, too."
)


def heading(one: Distribution) -> str:
    """The question that a chart answers, and the answer."""
    return f"{parts.head(one.title, one.definition)}<p>{escape(one.summary)}</p>"


def ends(one: Distribution, rule: str) -> str:
    """The latents at both ends, as links, and among which they were chosen."""
    everyone = f'<a class="sp-under" href="{escape(one.sorted_url)}">all latents by this figure</a>'
    high, low = one.ends
    return (
        f'<section class="sp-ends" data-spa>{end(high, one.highest)}{end(low, one.lowest)}'
        f'<p class="sp-dim">{escape(rule)} {everyone}</p></section>'
    )


def end(name: str, latents: Iterable[Extreme]) -> str:
    """The latents at one end, with their figures."""
    rows = "".join(
        f'<div class="sp-line">{parts.latent_link(one.ref)}<span class="sp-num">{escape(one.value)}</span></div>'
        for one in latents
    )
    return f"<div><h3>{escape(name)}</h3>{rows}</div>" if rows else ""
