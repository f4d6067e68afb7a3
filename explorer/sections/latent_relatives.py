"""Latents beside a latent: active together with it, or with a similar direction."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.cards import strip
from explorer.views.latent import LatentPage, Together
from explorer.views.parts import LatentCard
from explorer.wording import figure, plural, times


def below(view: LatentPage) -> str:
    """Both lists in the wide column, where a short gallery leaves it empty."""
    both = f"{together(view)}{similar(view)}" if view.is_short else ""
    return f'<div class="sp-below">{both}</div>' if both else ""


def similar(view: LatentPage) -> str:
    """Latents whose directions point the same way."""
    if not view.similar:
        return ""
    said = f"cosine; {view.n_dead_similar} dead left out" if view.n_dead_similar else "cosine"
    line = parts.head("Similar directions", DEFINITIONS["similar"], parts.dim(said))
    rows = "".join(
        _relative(card, f'<span class="sp-num">{figure(card.figure or 0.0)}</span>') for card in view.similar
    )
    on_map = f'<p class="sp-dim"><a href="{escape(links.map_url(view.ref.latent))}">see them on the map</a></p>'
    return f'<section data-spa>{line}<div class="sp-relatives">{rows}</div>{on_map}</section>'


def together(view: LatentPage) -> str:
    """Latents active in the same pictures more often than chance has it."""
    if not view.together:
        return ""
    line = parts.head("Active together", DEFINITIONS["lift"], parts.dim("times chance"))
    rows = "".join(_relative(item.card, _together_figures(item)) for item in view.together)
    return f'<section data-spa>{line}<div class="sp-relatives">{rows}</div></section>'


def _together_figures(item: Together) -> str:
    pictures = f'<a href="{escape(item.href)}">{plural(item.n_both, "picture")}</a>'
    return f'<span class="sp-num">{times(item.lift)} {parts.dim(f"(≥ {times(item.lift_low)})")}</span> · {pictures}'


def _relative(card: LatentCard, figures: str) -> str:
    """Four small pictures, the latent, and why it stands here (HTML)."""
    return (
        f'<div class="sp-relative">{strip(card)}<div>{parts.latent_link(card.ref)}'
        f'<div class="sp-why">{figures}</div></div></div>'
    )
