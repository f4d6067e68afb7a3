"""Words that run from right to left, beside ours, which do not."""

from __future__ import annotations

from unicodedata import bidirectional

_BEGIN, _END = "\u2068", "\u2069"  # "first strong isolate" and its end, as HTML's <bdi> has them
_FROM_RIGHT = frozenset({"R", "AL", "AN"})
_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def isolated(text: str) -> str:
    """A foreign text that leaves the line around it in order; only one that could disturb it is changed.

    Plain text, so that it does for HTML, tips, plots and the browser's tab alike.
    """
    kinds = {bidirectional(letter) for letter in text}
    if not kinds & (_FROM_RIGHT | _CONTROLS):
        return text
    return _BEGIN + "".join(letter for letter in text if bidirectional(letter) not in _CONTROLS) + _END
