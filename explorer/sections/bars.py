"""Bars in HTML, where they stand beside pictures. Ink for shares, the accent for what is active."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from explorer.views.latent import LabelShare
from explorer.wording import percent, plural

_DECADES = 4  # a density bar begins at 10^-4 = 0.01 %


def density_bar(density: float) -> str:
    """Length by the logarithm, so that rare latents still differ."""
    length = 1 + math.log10(density) / _DECADES if density > 0 else 0.0
    return active_bar(length)


def active_bar(share: float) -> str:
    """A bar of what is active, 0 … 1 of its full length."""
    return f'<span class="sp-bar sp-active"><i style="width:{100 * min(max(share, 0.0), 1.0):.1f}%"></i></span>'


def label_bars(labels: Iterable[LabelShare]) -> str:
    """Shares in the gallery as bars; the tick is the label's share in the store."""
    return f'<div class="sp-labels">{"".join(_label_bar(item) for item in labels)}</div>'


def _label_bar(item: LabelShare) -> str:
    here, there = percent(item.share), percent(item.store_share)
    tip = f"{item.label}: {plural(item.n, 'picture')}, {here} of the gallery, {there} of the store"
    return (
        f'<div class="sp-label" data-tip="{escape(tip)}"><span>{escape(item.label)}</span>'
        f'<span class="sp-num">{here} <span class="sp-dim">/ {there}</span></span>'
        f'<span class="sp-bar"><i style="width:{100 * item.share:.1f}%"></i>'
        f'<s style="left:{100 * item.store_share:.1f}%"></s></span></div>'
    )
