"""Whether other SAEs find a latent again, and how many of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.views.counterparts import Counterparts, Match
from explorer.views.standing import Standing
from explorer.wording import figure, percent, plural


def found_again(found: Iterable[Counterparts], problems: Iterable[str]) -> str:
    """The latents of other SAEs that are most like this one; nothing where there is no other SAE."""
    rows = "".join(map(_other, found)) + "".join(map(parts.refusal, problems))
    line = parts.head("Found again?", DEFINITIONS["counterpart"], parts.dim("cosine"))
    return rows and f"<section data-spa>{line}{rows}</section>"


def _other(one: Counterparts) -> str:
    name = f"<b>{escape(isolated(one.name))}</b>"
    near, most = f"nearest direction, {_stands(one.standing, figure)}", "shares most pictures"
    if one.shared_standing:
        most += f", {_stands(one.shared_standing, percent, ' as frequent')}"
    if one.sharing and one.sharing.ref == one.nearest.ref:
        rows = _match(one.nearest, f"{near}; {most}")
    else:
        rows = _match(one.nearest, near) + (_match(one.sharing, most) if one.sharing else "")
    way = f'<a class="sp-under" href="{escape(links.found_again_url(one.sae_fingerprint))}">all latents by it</a>'
    return f'<p class="sp-caption"><span>in {name}</span> · {way}</p><div class="sp-relatives">{rows}</div>'


def _stands(found: Standing, write: Callable[[float], str], kind: str = "") -> str:
    return f"{found.words} random directions{kind} (median {write(found.median)})"


def _match(one: Match, why: str) -> str:
    """Four small pictures, the other SAE's latent, and why it stands here."""
    inside = "".join(parts.picture_link(tile, 72) for tile in one.tiles)
    density = parts.dim(percent(one.ref.density))
    both = f"{plural(one.n_both, 'picture')} shared ({percent(one.jaccard)})"
    return (
        f'<div class="sp-relative sp-again"><span class="sp-strip">{inside}</span><div>'
        f'<span class="sp-ref"><span class="sp-no">#{one.ref.latent}</span> · {parts.name_text(one.ref)} · '
        f"{density}</span>"
        f'<div class="sp-why"><span class="sp-num">{figure(one.cosine)}</span> · {both}</div></div>'
        f'<div class="sp-why sp-wide">{parts.dim(why)}</div></div>'
    )
