"""Test-time training as a table."""

from __future__ import annotations

from html import escape

from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.views.heads import HeadRow, HeadsView

TITLE = "Does a head of its own serve this neighbourhood better?"


def head() -> str:
    """The question, with its definition."""
    return parts.head(TITLE, DEFINITIONS["heads"])


def offer(href: str) -> str:
    """Before anything is trained: a few seconds of work are asked for, not taken."""
    return (
        f"<section data-spa>{head()}<p>Trains a linear head on the nearest pictures, as test-time training does "
        "(arXiv 2509.24510), and compares it with one head for the whole store on pictures that neither has seen. "
        f'<a class="sp-under" href="{escape(href)}">Train them</a></p></section>'
    )


def answer(view: HeadsView) -> str:
    """What came out, in a sentence, and where it comes from."""
    caution = (
        " An illustration: the demonstration's encoder is too small to say anything about CLIP."
        if view.demonstration
        else ""
    )
    return f'{head()}<p class="sp-lead">{escape(view.sentence)}</p><p>{parts.dim(view.setting + caution)}</p>'


def table(view: HeadsView) -> str:
    """All heads with their intervals."""
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("head", "accuracy", "gain, points", "log loss"))
    rows = "".join(_row(row) for row in view.rows)
    note = parts.dim("In brackets: 95 % intervals over the judged pictures, those of gains paired. Log loss in nats.")
    return f'<div class="sp-scroll"><table class="sp-table"><tr>{heads}</tr>{rows}</table></div><p>{note}</p>'


def refused(sentence: str) -> str:
    """Why there is nothing to compare."""
    return f"<section>{head()}<p>{escape(sentence)}</p></section>"


def _row(row: HeadRow) -> str:
    cells = "".join(f'<td class="sp-num">{escape(text)}</td>' for text in (row.accuracy, row.gain, row.loss))
    return f'<tr><th scope="row">{escape(row.name)}<br>{parts.dim(row.what)}</th>{cells}</tr>'
