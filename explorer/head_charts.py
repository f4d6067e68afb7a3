"""Accuracies of heads as a plotly figure. No Streamlit here."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.tables import csv_text
from explorer.views.heads import HeadsView

_INK = "#8a9099"
_BASELINE = "#2f7fd1"


def heads_chart(view: HeadsView) -> go.Figure:
    """A dot and its interval per head; the global head's accuracy as a line."""
    rows = view.rows[::-1]
    middle = [100 * row.verdict.accuracy for row in rows]
    error = {
        "type": "data",
        "symmetric": False,
        "array": [100 * row.verdict.interval[1] - at for row, at in zip(rows, middle, strict=True)],
        "arrayminus": [at - 100 * row.verdict.interval[0] for row, at in zip(rows, middle, strict=True)],
        "color": _INK,
        "thickness": 1.5,
    }
    dots = go.Scatter(
        x=middle,
        y=[row.name for row in rows],
        mode="markers",
        error_x=error,
        marker={"size": 9, "color": [_BASELINE if row.name == "global head" else _INK for row in rows]},
        customdata=[row.accuracy for row in rows],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )
    at = 100 * view.rows[0].verdict.accuracy
    line = {"color": _BASELINE, "width": 1.5, "dash": "dot"}
    layout = {
        "height": 260,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "xaxis": {"title": {"text": "accuracy on held-out pictures, % (line: global head)"}, "fixedrange": True},
        "yaxis": {"fixedrange": True, "automargin": True},
        "shapes": [{"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}],
    }
    return go.Figure(dots, layout)


def heads_csv(view: HeadsView) -> str:
    """The same as a table."""
    columns = ("head", "accuracy", "accuracy_low", "accuracy_high", "gain", "gain_low", "gain_high", "log_loss")
    found = ((row.name, row.verdict) for row in view.rows)
    return csv_text(columns, ((name, v.accuracy, *v.interval, v.gain, *v.gain_interval, v.loss) for name, v in found))
