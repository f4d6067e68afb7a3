"""A latent in short: its findings under the title, before the pictures that tempt."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from explorer.sections import parts
from explorer.views.findings import CLEARLY, SEEN, Finding, Speaks, findings
from explorer.views.latent import LatentPage
from explorer.views.striking import MIN_PICTURES
from explorer.wording import percent

_MARKS: dict[Speaks, tuple[str, str]] = {
    "for": ("✓", "speaks for a meaning"),
    "neither": ("≈", "says neither"),
    "against": ("✗", "speaks against one"),
}
_RULES = (
    "In short: rules, applied to the figures on this page. ✓ a good name that labels or captions bear out; a label "
    "that most pictures have, the strongest 30 % and the weakest alike (neither less than half as often as the other, "
    "nor as in the store), and as many of one in twenty random galleries at most; "
    f"figures above those of {percent(CLEARLY)} of random directions. ✗ no good name, no label "
    f"beyond chance, figures below {percent(CLEARLY)}. ≈ neither, as where a figure differs from their median by less "
    f"than {SEEN}. Baseline: one random direction in twenty is above "
    f"{percent(CLEARLY)} of the others; names that CLIP likes are far more frequent among them, so that these need a "
    f"witness. Of fewer than {MIN_PICTURES} pictures nothing is said."
)


def in_short(view: LatentPage) -> str:
    """A latent's findings."""
    return listed(findings(view))


def listed(found: Sequence[Finding]) -> str:
    """Each with its mark; nothing where there is none."""
    if not found:
        return ""
    rows = "".join(map(_row, found))
    return f'<div class="sp-short"><ul aria-label="in short">{rows}</ul>{parts.help_mark(_RULES)}</div>'


def _row(one: Finding) -> str:
    mark, said = _MARKS[one.speaks]
    sign = f'<span class="sp-{one.speaks}" role="img" aria-label="{said}" data-tip="{said}">{mark}</span>'
    return f"<li>{sign}<span>{escape(one.said)}</span></li>"
