"""The links that save latents as a figure for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from explorer import links
from explorer.sections import parts
from explorer.views.sheet import MAX_ROWS
from explorer.wording import plural


def figure_links(latents: Sequence[int], title: str = "", small: bool = False) -> str:
    """SVG, which works without a script, and PNG, which the browser draws (static/figure.js)."""
    shown = latents[:MAX_ROWS]
    what = (
        f"#{latents[0]}"
        if len(latents) == 1
        else f"the {'first ' * (len(latents) > MAX_ROWS)}{plural(len(shown), 'latent')}"
    )
    href = escape(links.figure_url(shown, title))
    told = escape(f"a figure of {what} for a paper: the strongest pictures, and some from all of the gallery")
    data = f'data-href="{href}" data-tip="{told}"'
    svg = f'<a class="sp-copy" href="{href}" download data-figure="svg" {data} aria-label="{told}, as SVG">SVG</a>'
    png = f'<button type="button" class="sp-copy" data-figure="png" {data} aria-label="{told}, as PNG">PNG</button>'
    classes = "sp-figure sp-saves" if small else "sp-figure"
    of = f"figure of the first {MAX_ROWS}" if len(latents) > MAX_ROWS else "figure"
    return f'<span class="{classes}">{parts.dim(of)}{png}{svg}</span>'
