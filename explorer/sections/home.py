"""The home page's sections."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.sections.cards import strips
from explorer.sections.parts import BY_CLIP, dim, gallery, head
from explorer.sections.report_card import report_card
from explorer.views.home import Home


def introduction(view: Home) -> str:
    """What this store holds, in a sentence, and what it was made with."""
    return (
        f'<section class="sp-intro"><h1>{escape(view.title)}</h1><p class="sp-lead">{escape(view.sentence)}</p>'
        f'<p class="sp-dim">Encoder: {escape(view.encoder)}<br>SAE: {escape(view.sae)}</p>'
        f"{_alert(view.copy_warning)}</section>"
    )


def figures(view: Home) -> str:
    """The SAE's figures in one line, each with its definition and baseline."""
    more = f'<a class="sp-copy" href="{links.QUALITY}">whole report card</a>'
    return f"{report_card(view.figures, more)}{_alert(view.warning)}"


def _alert(said: str | None) -> str:
    return f'<p class="sp-refused" role="alert">{escape(said)}</p>' if said else ""


def striking(view: Home) -> str:
    """A few latents as picture strips, and the rule that chose them."""
    if not view.striking:
        return ""
    line = head("Striking latents", beside=f'<a href="{links.LATENTS}">all latents</a>')
    return f"<section data-spa>{line}{strips(view.striking)}<p>{dim(view.striking_rule)}</p>{_legend(view)}</section>"


def _legend(view: Home) -> str:
    """What the sign before a name means, where one has it: the first page is the place to learn it."""
    signed = any(card.ref.by_clip for card in view.striking)
    return f"<p>{dim(f'“~” marks {BY_CLIP}.')}</p>" if signed else ""


def try_a_picture(view: Home) -> str:
    """Ways into Inspect."""
    line = head("Inspect a picture", beside=f'<a href="{links.INSPECT}">upload your own</a>')
    return f"<section data-spa>{line}{gallery(view.pictures, 'sp-oneline')}</section>"


def citation(view: Home) -> str:
    """What to write beside a figure made with this store."""
    button = '<button type="button" class="sp-copy" data-copy-text>copy</button>'
    return f"<section>{head('How to cite', beside=button)}<pre>{escape(view.citation)}</pre></section>"
