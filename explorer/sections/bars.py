"""Bars in HTML, where they stand beside pictures. Ink for shares, the accent for what is active."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from explorer.directions import isolated
from explorer.views.latent_labels import DecilePurity, LabelShare
from explorer.wording import percent, plural

_DECADES = 4  # a density bar begins at 10^-4 = 0.01 %


def density_bar(density: float) -> str:
    """Length by the logarithm, so that rare latents still differ."""
    length = 1 + math.log10(density) / _DECADES if density > 0 else 0.0
    return active_bar(length)


def active_bar(share: float) -> str:
    """A bar of what is active, 0 … 1 of its full length."""
    return f'<span class="sp-bar sp-active"><i style="width:{_length(share)}%"></i></span>'


def edited_bar(share: float, before: float) -> str:
    """A bar of what is active after an edit; the tick is where it was."""
    tick = f'<s style="left:{_length(before)}%"></s>'
    return f'<span class="sp-bar sp-active"><i style="width:{_length(share)}%"></i>{tick}</span>'


def share_bar(share: float, baseline: float) -> str:
    """A share, or a cosine, 0 … 1; the tick is its baseline."""
    tick = f'<s style="left:{_length(baseline)}%"></s>'
    return f'<span class="sp-bar"><i style="width:{_length(share)}%"></i>{tick}</span>'


def label_bars(labels: Iterable[LabelShare]) -> str:
    """Shares in the gallery as bars; the tick is the label's share in the store."""
    return f'<div class="sp-labels">{"".join(_label_bar(item) for item in labels)}</div>'


def decile_bars(purity: DecilePurity) -> str:
    """A label's share in each decile, the weakest at the left; the line is its share in the store."""
    columns = "".join(_decile_bar(purity, decile) for decile in range(1, len(purity.sizes) + 1))
    line = f'<s style="bottom:{_length(purity.store_share)}%"></s>'
    said = "share of the label in deciles 1 to 10: " + ", ".join(
        "empty" if share is None else percent(share) for share in map(purity.share, range(1, len(purity.sizes) + 1))
    )
    return (
        f'<div class="sp-deciles" role="img" aria-label="{escape(said)}">{columns}{line}</div>'
        '<div class="sp-line sp-axis"><span class="sp-dim">1 weakest</span><span class="sp-dim">decile</span>'
        '<span class="sp-dim">10 strongest</span></div>'
    )


def _decile_bar(purity: DecilePurity, decile: int) -> str:
    share, n, size = purity.share(decile), purity.counts[decile - 1], purity.sizes[decile - 1]
    if share is None:
        return f'<span data-tip="decile {decile}: empty"></span>'
    tip = f"decile {decile}: {n:,} of {plural(size, 'picture')}, {percent(share)}; store {percent(purity.store_share)}"
    return f'<span data-tip="{escape(tip)}"><i style="height:{_length(share)}%"></i></span>'


def _label_bar(item: LabelShare) -> str:
    here, there = percent(item.share), percent(item.store_share)
    tip = f"{isolated(item.label)}: {plural(item.n, 'picture')}, {here} of the gallery, {there} of the store"
    name = escape(isolated(item.label))
    if item.href:
        name = f'<a href="{escape(item.href)}">{name}</a>'
    return (
        f'<div class="sp-label" data-tip="{escape(tip)}"><span>{name}</span>'
        f'<span class="sp-num">{here} <span class="sp-dim">/ {there}</span></span>'
        f"{share_bar(item.share, item.store_share)}</div>"
    )


def _length(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.1f}"
