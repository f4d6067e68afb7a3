"""Views as plotly figures. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log10
from typing import Any

import plotly.graph_objects as go

from explorer.tables import csv_text
from explorer.views.latent_figures import Histogram
from explorer.wording import plural

# "Active", and nothing else; readable on both backgrounds. The same hue as --sp-active in static/frame.css.
ACTIVE = "#e8590c"
MARK = "rgba(134, 138, 145, 0.9)"  # readable on both backgrounds, and on the bars
HISTOGRAM_HEIGHT = 200
_FEW = 200


def activation_histogram(histogram: Histogram) -> go.Figure:
    """Pictures per activation, a thin line between two deciles.

    The count axis is logarithmic: one strong picture must show beside thousands of weak.
    """
    largest = max(histogram.counts)
    layout = {
        "height": HISTOGRAM_HEIGHT,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "bargap": 0.06,
        "showlegend": False,
        "shapes": [_mark(activation) for activation in histogram.marks],
        "xaxis": {
            "title": {"text": "activation (lines: deciles)" if histogram.marks else "activation"},
            "range": [0, histogram.edges[-1]],
            "fixedrange": True,
            "zeroline": False,
        },
        "yaxis": count_axis(largest, "pictures"),
    }
    pairs = zip(pairwise(histogram.edges), histogram.counts, strict=True)
    said = [f"{low:.2f} to {high:.2f}: {plural(n, 'picture')}" for (low, high), n in pairs]
    return go.Figure(
        bars(histogram.edges, histogram.counts, said, ACTIVE), layout
    )  # at once: every update would validate it anew


def histogram_csv(histogram: Histogram) -> str:
    """The same as a table."""
    spans = pairwise(histogram.edges)
    rows = ((low, high, n) for (low, high), n in zip(spans, histogram.counts, strict=True))
    return csv_text(("activation_from", "activation_to", "pictures"), rows)


def bars(edges: Sequence[float], counts: Sequence[int], said: Sequence[str], color: str) -> go.Bar:
    """A bar from each edge to the next; `said` is what hovering tells of each."""
    spans = list(pairwise(edges))
    return go.Bar(
        x=[(low + high) / 2 for low, high in spans],
        y=list(counts),
        width=[high - low for low, high in spans],
        marker={"color": color, "line": {"width": 0}},
        customdata=said,
        hovertemplate="%{customdata}<extra></extra>",
    )


def row_axis(labels: Sequence[str]) -> dict[str, Any]:
    """An axis of horizontal bars, the first one on top."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": labels,
        "range": [len(labels) - 0.4, -0.6],
        "fixedrange": True,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
    }


def count_axis(largest: int, what: str) -> dict[str, Any]:
    """A logarithmic axis of how many there are."""
    return {
        "title": {"text": f"{what} (log scale)"},
        "type": "log",
        "range": _log_range(largest),
        "tickvals": _ticks(largest),
        "fixedrange": True,
    }


def translucent(color: str, opacity: float) -> str:
    """`#2f7fd1` with an opacity, as plotly reads it."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def _mark(activation: float) -> dict[str, Any]:
    """A line over the whole height, in the paper's units so that the logarithm does not matter."""
    line = {"color": MARK, "width": 1}
    return {"type": "line", "x0": activation, "x1": activation, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _ticks(largest: int) -> list[int]:
    """Powers of ten; 1 2 5 as well where those alone would leave one or two."""
    steps = (1,) if largest > _FEW else (1, 2, 5)
    return [step * 10**power for power in range(len(str(largest))) for step in steps]


def _log_range(largest: int) -> list[float]:
    """From 0.5, so that a bin with a single picture still has a bar."""
    return [log10(0.5), log10(max(largest, 2) * 1.3)]
