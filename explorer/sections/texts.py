"""What is said beside a box for texts, and of a search by their meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from explorer.directions import isolated
from explorer.sections.parts import caution
from explorer.views.chance import Chance
from explorer.views.cut_texts import CutText
from explorer.wording import NBSP, figure

_TAIL = 24  # characters that show where a text was cut


def cut(texts: Sequence[CutText]) -> str:
    """How much of too long texts was read, in one sentence; nothing where all of them were."""
    if not texts:
        return ""
    each = "; ".join(
        f"the first {one.n_read:,} of {len(one.text):,} characters, up to “{isolated(_end(one))}”" for one in texts
    )
    most = f"CLIP reads {texts[0].n_tokens} tokens (pieces of words) of a text at most"
    return f'<p class="sp-dim" role="status">{escape(f"{most}, and left out the rest: it read {each}.")}</p>'


def no_meaning(why: str) -> str:
    """In place of the offer to search by meaning."""
    return f'<p class="sp-dim">Searching by meaning is not possible: {escape(why)}.</p>' if why else ""


def control(chance: Chance) -> str:
    """What the best match of a text without a meaning is worth; it follows another sentence."""
    if not math.isfinite(chance.typical):
        return ""
    typical, high = figure(chance.typical, 1), figure(chance.high, 1)
    return f" For meaningless strings of letters the best match has z{NBSP}{typical}, for one in twenty of them {high}."


def nothing_stands_out(best: float) -> str:
    """Of a text whose best match, of z `best`, is no better than that."""
    said = (
        f"Nothing stands out: the best match has z{NBSP}{figure(best, 1)}, within what one in twenty meaningless "
        "strings reach. Perhaps nothing here is like it, or the encoder does not know the words."
    )
    return caution(said, "status")


def _end(one: CutText) -> str:
    """The last words that were read."""
    read = one.text[: one.n_read].strip()
    return read if len(read) <= _TAIL else f"… {read[-_TAIL:].split(' ', 1)[-1]}"
