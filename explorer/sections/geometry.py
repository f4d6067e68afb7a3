"""The geometry of a choice: which axes, the concepts' cosines, and the heads of its plots."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.parts import latent_link
from explorer.views.geometry import Geometry
from explorer.views.geometry_query import MAX_AXES, ORIGINS
from explorer.views.parts import LatentRef
from explorer.wording import figure


def geometry_head(view: Geometry) -> str:
    """The question, the axes to choose from, and what is to be said of them."""
    tip = DEFINITIONS["geometry"].format(origin=ORIGINS[view.query.origin])
    head = parts.head("Where do these pictures lie between their concepts?", tip, _form(view))
    remarks = "".join(f'<p class="sp-dim" role="status">{escape(remark)}</p>' for remark in view.remarks)
    return f"{head}{_offers(view)}{remarks}"


def cosines(view: Geometry) -> str:
    """The raw cosines between the directions, and what became of them as axes."""
    if len(view.concepts) < 2:
        return ""
    chance = figure(1.96 / math.sqrt(view.d_embed))
    mark = parts.help_mark(DEFINITIONS["direction_cosines"].format(chance=chance, d=view.d_embed))
    top = "".join(f'<th scope="col">#{ref.latent}</th>' for ref in view.concepts)
    rows = "".join(
        f'<tr><th scope="row">{latent_link(ref)}</th>'
        f"{''.join(f'<td class=sp-num>{figure(value)}</td>' for value in row)}</tr>"
        for ref, row in zip(view.concepts, view.cosines, strict=True)
    )
    ways = "".join(f"<li>{_axis(view, number)}</li>" for number in range(len(view.axes)))
    return (
        f'<section data-spa><p><b>Cosines between the directions</b>{mark}</p><div class="sp-scroll">'
        f'<table class="sp-table"><tr><td></td>{top}</tr>{rows}</table></div><ol class="sp-axes">{ways}</ol></section>'
    )


def heat_head(found: bool, has_labels: bool) -> str:
    """The heat map's question; a sentence where there is nothing to show."""
    head = parts.head("Which labels do these concepts belong to?", DEFINITIONS["label_concepts"])
    if found:
        return head
    why = "None of its latents is active" if has_labels else "This store’s pictures have no labels"
    return f"<section>{head}<p>{why}: there is nothing to count.</p></section>"


def other_form(params: Mapping[str, str], said: str, labels: Iterable[str], problem: str) -> str:
    """Which other choice the span is compared with."""
    options = "".join(f'<option value="{escape(label)}"></option>' for label in labels)
    refused = f'<p class="sp-refused" role="alert">{escape(problem)}</p>' if problem else ""
    return (
        f"{parts.head('How does another span lie to this one?')}"
        f'<form class="sp-filter sp-chooser" action="{links.SPANS}" '
        f'method="get" data-form data-stay>{_hidden(params)}<div class="sp-fields"><label>compare with <input '
        f'type="search" name="with" value="{escape(said)}" maxlength="400" autocomplete="off" list="sp-others" '
        'placeholder="a label, numbers, words" aria-label="the other choice"></label>'
        f'<button type="submit" class="sp-copy">angles</button></div><datalist id="sp-others">{options}</datalist>'
        f"</form>{refused}"
    )


def compare_link(a: str, b: str) -> str:
    """To everything else that Compare says of both."""
    href = escape(links.compare_url({"a": a, "b": b}))
    return f'<p data-spa><a class="sp-under" href="{href}">compare both, latent by latent</a></p>'


def _form(view: Geometry) -> str:
    query = view.query
    options = "".join(
        f'<option value="{key}"{" selected" if key == query.origin else ""}>{name}</option>'
        for key, name in ORIGINS.items()
    )
    said = links.numbers(ref.latent for ref in view.concepts)
    return (
        f'<form class="sp-filter" action="{links.SPANS}" method="get" data-form data-auto data-stay>'
        f'{_hidden(query.kept("axes", "origin"))}<div class="sp-fields"><label>axes <input type="search" name="axes" '
        f'value="{said}" maxlength="60" autocomplete="off" aria-label="latents that are axes, {MAX_AXES} at most">'
        f'</label><label>from <select name="origin" aria-label="origin">{options}</select></label>'
        '<button type="submit" class="sp-apply">apply</button></div></form>'
    )


def _offers(view: Geometry) -> str:
    """The choice's strongest concepts, each to put on an axis or to take off."""
    shown = [ref.latent for ref in view.concepts]
    chips = "".join(_chip(view, ref, shown) for ref in view.offered)
    return (
        f'<div class="sp-conditions" data-spa data-stay>{parts.dim("its strongest concepts")}{chips}</div>'
        if chips
        else ""
    )


def _chip(view: Geometry, ref: LatentRef, shown: list[int]) -> str:
    name = escape(f"#{ref.latent} {ref.sign}{isolated(ref.name or '')}".strip())
    if ref.latent in shown:
        rest = [latent for latent in shown if latent != ref.latent]
        if len(rest) < 2:
            return f'<span class="sp-chip" aria-current="true"><b>{name}</b></span>'
        return (
            f'<span class="sp-chip" aria-current="true"><b>{name}</b> <a class="sp-remove" '
            f'href="{escape(view.query.url(rest))}" aria-label="take #{ref.latent} off its axis">×</a></span>'
        )
    axes = [*shown, ref.latent] if len(shown) < MAX_AXES else [*shown[: MAX_AXES - 1], ref.latent]
    return f'<a class="sp-chip" href="{escape(view.query.url(axes))}" data-tip="make it an axis">{name}</a>'


def _axis(view: Geometry, number: int) -> str:
    axis = view.axes[number]
    said = f"#{axis.ref.latent}’s direction"
    if number:
        before = " and ".join(f"#{one.ref.latent}" for one in view.axes[:number])
        said += f" less its part along {before}: {figure(axis.rest)} of it is new"
    return f"axis {number + 1}: {escape(said)}"


def _hidden(params: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in params.items()
    )
