"""What stands on a page while others use the encoder."""

from __future__ import annotations

from html import escape

from explorer.wording import plural


def waiting(before: int, sentence: str = "") -> str:
    """How many are before one; or `sentence` instead."""
    others = plural(before, "other visitor")
    said = sentence or f"Waiting for the encoder: {others} before you. Everybody gets a turn, in order of arrival."
    return f'<p class="sp-dim sp-waiting" role="status">{escape(said)}</p>'
