"""The pictures of a latent: the strip that chooses them, and the four ways to look."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.figure import figure_links
from explorer.sections.pager import pager, range_text
from explorer.views.beyond_top import Beyond
from explorer.views.latent import LatentPage
from explorer.views.latent_gallery import (
    VIEWS,
    DecileRow,
    Deciles,
    Draw,
    NearMissPictures,
    Top,
)
from explorer.wording import activation, percent, plural
from sae_core.store.layout import N_DECILES

LARGE = "sp-large"
_BEYOND = {"middle": "around the median", "weakest": "weakest", "near": "near misses"}
_FEW_IN_PARTS = 100  # pictures; with more, one that is over is nothing


def gallery(view: LatentPage) -> str:
    """What the address asks for, under the strip."""
    shown = view.shown
    if isinstance(shown, Deciles):
        body = _deciles(view, shown)
    elif isinstance(shown, Draw):
        body = _draw(view, shown)
    elif isinstance(shown, NearMissPictures):
        body = _near_misses(shown)
    else:
        body = _top(shown, figure_links((view.ref.latent,), small=True))
    return f"<section>{_head(view)}{parts.left_out(view.query.left_out)}{body}</section>"


def _head(view: LatentPage) -> str:
    """A dead latent has near misses only: no strip."""
    if view.ref.dead:
        return parts.head("Near misses", DEFINITIONS["near_miss"])
    tabs = "".join(_tab(view, key, text) for key, text in VIEWS.items())
    strip = f'<nav class="sp-tabs" aria-label="which pictures" data-spa>{tabs}</nav>'
    return f'<div class="sp-head sp-tabbed"><h2>Gallery</h2>{strip}</div>'


def _tab(view: LatentPage, key: str, text: str) -> str:
    current = ' aria-current="page"' if view.query.view == key else ""
    return f'<a href="{escape(links.latent_url(view.ref.latent, view=key))}"{current}>{text}</a>'


def _top(shown: Top, saves: str) -> str:
    said = _said(f"{range_text(shown.paging, 'picture')}, strongest first", DEFINITIONS["activation"], saves)
    return f"{_beyond(shown)}{said}{parts.gallery(shown.tiles, LARGE)}{pager(shown.paging, 'the gallery')}"


def _beyond(shown: Top) -> str:
    """Small, above the strongest: what these do not show."""
    groups = "".join(_group(one) for one in shown.beyond)
    return f'<div class="sp-beyond" data-spa>{groups}</div>' if groups else ""


def _group(group: Beyond) -> str:
    low, high = activation(min(group.figures)), activation(max(group.figures))
    text = low if low == high else f"{low} – {high}"
    return (
        f'<div><div class="sp-line"><a href="{escape(group.href)}">{_BEYOND[group.kind]}</a>'
        f"{parts.dim(text)}</div>{parts.gallery(group.tiles)}</div>"
    )


def _deciles(view: LatentPage, shown: Deciles) -> str:
    if not shown.rows:
        top = escape(links.latent_url(view.ref.latent))
        few = f"{plural(view.n_active, 'picture')} cannot be cut into ten parts: the top shows all there are."
        return parts.note("Too few pictures for deciles", f'<p>{few}</p><p><a href="{top}">Top</a></p>')
    text = f"{plural(view.n_active, 'picture')} in {_parts(view.n_active)}, strongest first"
    if view.purity:
        text += f"; bars: share labelled “{isolated(view.purity.label)}” (store: {percent(view.purity.store_share)})"
    rows = "".join(_decile(view, row) for row in shown.rows)
    return f"{_said(text, DEFINITIONS['deciles'])}{rows}"


def _parts(n: int) -> str:
    """Ten parts, which differ by a picture where ten does not divide their number: much where there are few."""
    few = n % N_DECILES and n < _FEW_IN_PARTS
    return f"ten parts of {n // N_DECILES} or {n // N_DECILES + 1}" if few else "ten equal parts"


def _decile(view: LatentPage, row: DecileRow) -> str:
    """One line of facts and one row of pictures."""
    share = view.purity.share(row.decile) if view.purity else None
    pure = ""
    if share is not None and view.purity is not None:
        tip = f"{percent(share)} of decile {row.decile} is labelled “{isolated(view.purity.label)}”"
        pure = (
            f'<span class="sp-pure" data-tip="{escape(tip)}"><span class="sp-bar"><i style="width:{100 * share:.1f}%">'
            f'</i></span><span class="sp-num">{percent(share)}</span></span>'
        )
    span = f"activation {activation(row.weakest)} – {activation(row.strongest)}"
    facts = parts.dim(f"{span} · {plural(row.n, 'picture')}")
    everything = f'<a href="{escape(row.href)}">all of this decile</a>'
    return (
        f'<div class="sp-decile" data-spa><div class="sp-line"><span><b>decile {row.decile}</b> '
        f"{facts}</span>{pure}{everything}</div>"
        f"{parts.gallery(row.tiles, 'sp-oneline')}</div>"
    )


def _draw(view: LatentPage, shown: Draw) -> str:
    if shown.again is None:
        text = f"all {plural(shown.n_active, 'picture')}: no more to draw from; strongest first"
    else:
        text = f"{len(shown.tiles)} of {plural(shown.n_active, 'picture')} drawn at random, in no order"
    again = f'<a class="sp-copy" href="{escape(shown.again)}">draw again</a>' if shown.again else ""
    said = _said(text, DEFINITIONS["random"].format(density=percent(view.ref.density)), again)
    return f"{said}{parts.gallery(shown.tiles, LARGE)}"


def _near_misses(shown: NearMissPictures) -> str:
    if not shown.tiles:
        return parts.note(
            "No near misses",
            "<p>Wherever in this store its pre-activation is above 0, the latent is active: neither Top-K nor a "
            "threshold hides anything of it.</p>",
        )
    n = len(shown.tiles)
    these = f"All {n:,}" if shown.complete else f"The {n:,} highest"
    text = (
        "Here the latent is not active: its pre-activation (first figure) is above 0, but what it had to exceed "
        f"(second figure: the weakest activation that Top-K kept, or its threshold) is more. {these} of the store."
    )
    return f"{_said(text, DEFINITIONS['near_miss'])}{parts.gallery(shown.tiles, LARGE)}"


def _said(text: str, help_text: str, beside: str = "") -> str:
    """The line between strip and pictures."""
    return f'<div class="sp-said" data-spa><span>{parts.dim(text)}{parts.help_mark(help_text)}</span>{beside}</div>'
