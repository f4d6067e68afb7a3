"""What is said beside a box for texts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from explorer.directions import isolated
from explorer.views.cut_texts import CutText

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


def _end(one: CutText) -> str:
    """The last words that were read."""
    read = one.text[: one.n_read].strip()
    return read if len(read) <= _TAIL else f"… {read[-_TAIL:].split(' ', 1)[-1]}"
