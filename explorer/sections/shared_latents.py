"""The Compare page's lists of latents: of both sides, and of either alone."""

from __future__ import annotations

from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.bars import active_bar
from explorer.sections.cards import strip
from explorer.sections.meaningless import overlap_controls
from explorer.views.compare import Comparison, Row, Where
from explorer.wording import activation, expected, plural, signed

_LISTS: dict[Where, str] = {"both": "On both sides", "a": "Only in A", "b": "Only in B"}


def lists(view: Comparison) -> str:
    """Latents of both sides and of either alone, those with the largest parts first."""
    longest = max((max(row.part.mean_a, row.part.mean_b) for rows in view.lists.values() for row in rows), default=0.0)
    columns = "".join(_list(view, where, longest) for where in _LISTS)
    return f'<section>{_overlap(view)}<div class="sp-trio" data-spa>{columns}</div></section>'


def _list(view: Comparison, where: Where, longest: float) -> str:
    rows, n = view.lists[where], view.counts[where]
    head = f'<div class="sp-line"><b>{_LISTS[where]}</b>{parts.dim(plural(n, "latent"))}</div>'
    if not rows:
        none = (
            "no latent is active on both sides" if where == "both" else "every latent of this side is on the other too"
        )
        return f'<div>{head}<p class="sp-dim">{none}</p></div>'
    inside = "".join(_row(row, longest) for row in rows)
    more = parts.dim(f"and {plural(n - len(rows), 'latent')} with smaller parts") if n > len(rows) else ""
    return f"<div>{head}{inside}{more}</div>"


def _row(row: Row, longest: float) -> str:
    sides: dict[Where, float] = {"a": row.part.mean_a, "b": row.part.mean_b}
    bars = "".join(
        f'<span class="sp-mean" data-tip="mean activation over {key.upper()}’s pictures">{key.upper()}'
        f'{active_bar(mean / longest if longest > 0 else 0.0)}<span class="sp-num">{activation(mean)}</span></span>'
        for key, mean in sides.items()
        if row.part.where in ("both", key)
    )
    return (
        f'<div class="sp-compared">{strip(row.card)}<div class="sp-line">{parts.latent_link(row.card.ref)}'
        f'<span class="sp-num" data-tip="its part of the cosine">{signed(row.part.part, 4)}</span></div>{bars}</div>'
    )


def _overlap(view: Comparison) -> str:
    both = view.overlap
    said = f"{plural(both.n_both, 'latent')} active on both sides, of {both.n_a:,} and {both.n_b:,}"
    chance = f"chance: {expected(both.by_latents)} (random latents), {expected(both.by_pictures)} (random pictures)"
    return parts.head("What do they share?", DEFINITIONS["overlap"], parts.dim(f"{said}; {chance}")) + overlap_controls(
        view
    )
