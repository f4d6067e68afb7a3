"""What the map's colours mean."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.sections.parts import dim
from explorer.views.map import MapPage
from explorer.views.map_colors import SCALE, TEN, Groups, Scale
from explorer.wording import plural


def legend(view: MapPage) -> str:
    """The colours that are drawn, and grey."""
    if isinstance(view.color, Scale):
        body = _scale(view.color)
    elif isinstance(view.color, Groups):
        body = _groups(view.color)
    else:
        body = dim("no latent has this figure")
    grey = "dead, or too few pictures for it" if isinstance(view.color, Scale) else "dead, or another label"
    keys = f'<span class="sp-key"><i class="sp-grey"></i>{grey}</span>'
    if isinstance(view.color, Scale) and view.color.baseline:
        keys = f'<span class="sp-key sp-num"><s></s>baseline {escape(view.color.baseline[1])}</span>{keys}'
    return f'<div class="sp-legend">{body}{keys}</div>'


def _scale(scale: Scale) -> str:
    """A strip of the colours; the mark is the baseline, which the key beside it names."""
    ticks = "".join(f'<span style="left:{100 * place:.0f}%">{escape(text)}</span>' for place, text in scale.ticks)
    mark = ""
    if scale.baseline:
        place, text = scale.baseline
        mark = f'<s style="left:{100 * place:.1f}%" data-tip="baseline: {escape(text)}"></s>'
    both = zip(SCALE["light"], SCALE["dark"], strict=True)
    colors = ", ".join(f"light-dark({light}, {dark})" for light, dark in both)
    return (
        f'<span class="sp-scale"><i style="background:linear-gradient(to right, {colors})"></i>{mark}'
        f'<span class="sp-ticks sp-num">{ticks}</span></span>'
    )


def _groups(groups: Groups) -> str:
    return "".join(
        f'<a class="sp-key" data-spa href="{escape(links.latents_url({"label": name}))}" '
        f'data-tip="{plural(n, "latent")}"><i style="background:{TEN[code]}"></i>{escape(name)}</a>'
        for code, (name, n) in enumerate(zip(groups.names, groups.counts, strict=True))
    )
