"""The sparse code of the Inspect page: a row a latent, with its slider."""

from __future__ import annotations

from html import escape

from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.bars import active_bar, edited_bar
from explorer.sections.cards import strip
from explorer.views.code_rows import CodeRow
from explorer.views.inspection import Inspection
from explorer.wording import activation, plural


def code(view: Inspection, rows: tuple[CodeRow, ...]) -> str:
    """The sparse code as a bar chart: a row per active latent, all bars on one scale, its pictures beside it."""
    said = parts.dim(f"{plural(len(view.code), 'active latent')} ({view.most}), bar = activation")
    line = parts.head("Sparse code", DEFINITIONS["activation"], said)
    if not view.code:
        line += "<p>No pre-activation is above 0 and above its threshold: no latent is active.</p>"
    longest = max((max(row.before, row.after) for row in rows), default=0.0)
    listed = "".join(_code_row(row, longest) for row in rows)
    inside = f'<div class="sp-code" role="list" data-spa>{listed}</div>' if rows else ""
    return f"<section>{line}{inside}{_inactive(view)}</section>"


def _inactive(view: Inspection) -> str:
    if not view.inactive:
        return ""
    listed = ", ".join(
        f'<a href="{escape(ref.href)}">#{ref.latent}</a> ({activation(value)})' for ref, value in view.inactive
    )
    return (
        f'<p class="sp-dim" data-spa>Top-K also kept {listed}: not above 0, so not active, but part of the '
        "reconstruction.</p>"
    )


def _code_row(row: CodeRow, longest: float) -> str:
    card = row.card
    hint = parts.dim(f"mostly {isolated(card.top_label)}") if card.top_label and not card.ref.name else ""
    value = f'<s class="sp-dim">{activation(row.before)}</s> {activation(row.after)}' if row.edited else ""
    share, was = (one / longest if longest > 0 else 0.0 for one in (row.after, row.before))
    return (
        f'<div class="sp-row" role="listitem"><div class="sp-rowtext"><div class="sp-line">'
        f'{parts.latent_link(card.ref)}{hint}<span class="sp-num">{value or activation(row.before)}</span></div>'
        f"{edited_bar(share, was) if row.edited else active_bar(share)}{_hands(row)}</div>{strip(card)}</div>"
    )


def _hands(row: CodeRow) -> str:
    """The slider, and links that do the same without it."""
    latent = row.card.ref.latent
    ways = [] if row.after == 0 or row.added else [("remove", row.remove_url, "")]
    if row.edited:
        ways.append(("drop" if row.added else "reset", row.reset_url, ""))
    ways.append(("where?", row.where_url, ' data-to=".st-key-where"'))
    shown = "".join(
        f'<a href="{escape(url)}" aria-label="{word.rstrip("?")} #{latent}"{to}>{word}</a>' for word, url, to in ways
    )
    marked = " data-edited" if row.edited else ""
    return (
        f'<div class="sp-hands" data-stay><span class="sp-num">0</span><span class="sp-slide">{_marks(row)}'
        f'<input type="range" min="0" max="{row.most:.4g}" step="any" '
        f'value="{row.after:.4g}" data-edit="{latent}" data-was="{row.after:.4g}"{marked} '
        f'aria-label="activation of {escape(row.card.ref.text)}"></span>{_scale(row)}'
        f'<output class="sp-num"></output>{shown}</div>'
    )


def _marks(row: CodeRow) -> str:
    """On the slider: a short one where the latent is in this picture, a long one where it is strongest in the store."""
    own, strongest = (min(value / row.most, 1.0) for value in (max(row.before, 0.0), row.strongest))
    return (
        f'<i><s style="left:{100 * own:.1f}%"></s><s class="sp-strongest" style="left:{100 * strongest:.1f}%"></s></i>'
    )


def _scale(row: CodeRow) -> str:
    """What the marks are, in figures."""
    own = f"here {activation(row.before)}" if row.before > 0 else "not active here"
    most = f"strongest {activation(row.strongest)}" if row.strongest > 0 else "active in no picture"
    return f'<span class="sp-num" data-tip="{escape(DEFINITIONS["scale"])}">{own} · {most}</span>'
