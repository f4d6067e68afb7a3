"""Latents as cards and as strips of their pictures."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import repeat

from explorer.directions import isolated
from explorer.sections.bars import density_bar
from explorer.sections.parts import add_button, latent_link, name_text, picture
from explorer.views.parts import LatentCard, LatentRef
from explorer.wording import figure, percent


def strip(card: LatentCard) -> str:
    """The card's pictures in a row, as one link to the latent; to the keyboard the latent's name beside it is that."""
    if not card.tiles:
        why = "withheld" if card.ref.hidden else "active in no picture"
        return f'<span class="sp-strip sp-empty">{why}</span>'
    inside = "".join(picture(tile, 72) for tile in card.tiles)
    label = escape(card.ref.text)
    return (
        f'<a class="sp-strip" href="{escape(card.ref.href)}" tabindex="-1" aria-label="{label}" data-tip="{label}">'
        f"{inside}</a>"
    )


def strips(cards: Iterable[LatentCard], kind: str = "") -> str:
    """Latents as picture strips: the home page's striking ones, a latent's similar ones."""
    return f'<div class="sp-strips {kind}" data-spa>{"".join(_strip_card(card) for card in cards)}</div>'


def latent_cards(cards: Iterable[LatentCard], extras: Iterable[str] | None = None) -> str:
    """A grid of cards; `extras` is HTML for each card's end."""
    ends = repeat("") if extras is None else extras
    inside = "".join(_latent_card(card, end) for card, end in zip(cards, ends, strict=False))
    return f'<div class="sp-cards" data-spa>{inside}</div>'


def _strip_card(card: LatentCard) -> str:
    beside = _purity(card) if card.figure is None else f'<span class="sp-num">{figure(card.figure)}</span>'
    line = f'<div class="sp-line">{latent_link(card.ref)}{beside}</div>'
    return f'<div class="sp-stripcard">{strip(card)}{add_button(card.ref.latent)}{line}</div>'


def _latent_card(card: LatentCard, end: str = "") -> str:
    inside = "".join(picture(tile, 96) for tile in card.tiles)
    if not card.tiles:
        why = "withheld" if card.ref.hidden else "dead: no picture in this store activates it"
        inside = f'<span class="sp-empty">{why}</span>'
    href, label = escape(card.ref.href), escape(card.ref.text)
    return (
        f'<article class="sp-card"><a class="sp-nine" href="{href}" tabindex="-1" aria-label="{label}">'
        f"{inside}</a>{add_button(card.ref.latent)}"
        f'<a class="sp-ref" href="{href}"><span class="sp-no">#{card.ref.latent}</span> {name_text(card.ref)}</a>'
        f'<div class="sp-line">{_density(card.ref)}</div>{_purity(card)}{end}</article>'
    )


def _density(ref: LatentRef) -> str:
    tip = f"active in {percent(ref.density)} of the store's pictures (logarithmic bar, 0.01 % to 100 %)"
    return f'<span class="sp-density" data-tip="{tip}">{density_bar(ref.density)}{percent(ref.density)}</span>'


def _purity(card: LatentCard) -> str:
    """The label stands there even where it is the name: a share alone would read as a verdict."""
    if card.purity is None or not card.top_label:
        return ""
    label = isolated(card.top_label)
    counts = f"{card.n_labelled:,} of {card.n_active:,}"
    tip = f"label purity: {percent(card.purity)} of the gallery ({counts}) is labelled “{label}”"
    return f'<span class="sp-purity" data-tip="{escape(tip)}">{card.purity_text} labelled {escape(label)}</span>'
