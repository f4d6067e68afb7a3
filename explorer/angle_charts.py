"""Principal angles as a plotly figure. No Streamlit here."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.charts import translucent
from explorer.tables import csv_text
from explorer.views.angles import Angles, Band

_REACH = 0.25  # how far a band goes beyond the last angle: one angle alone has a band, too
_RANDOM, _LATENTS, _MEASURED = "#8a9099", "#2f7fd1", "#1f9e89"


def angles_chart(angles: Angles) -> go.Figure:
    """Each principal angle, and the bands where random spans have theirs."""
    x = list(range(1, len(angles.degrees) + 1))
    measured = go.Scatter(
        x=x,
        y=angles.degrees,
        mode="lines+markers",
        name="these two spans",
        line={"color": _MEASURED, "width": 2.5},
        marker={"size": 7, "color": _MEASURED},
        hovertemplate="angle %{x}: %{y:.1f}°<extra></extra>",
    )
    traces = [
        *_band(x, angles.random, "random directions", _RANDOM, "dot"),
        *_band(x, angles.latents, "random latents of equal density", _LATENTS, "dash"),
        measured,
    ]
    dtick = max(1, len(x) // 8)
    layout = {
        "height": 300,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {"title": {"text": "principal angle, smallest first"}, "dtick": dtick, "fixedrange": True},
        "yaxis": {"title": {"text": "degrees"}, "range": [-3, 93], "dtick": 30, "fixedrange": True, "zeroline": False},
    }
    return go.Figure(traces, layout)


def angles_csv(angles: Angles) -> str:
    """The same as a table, degrees."""
    bands = (angles.random, angles.latents)
    names = [f"random_{kind}_{what}" for kind in ("directions", "latents") for what in ("p5", "median", "p95")]
    columns = [column for band in bands for column in (band.low, band.median, band.high)]
    rows = zip(range(1, len(angles.degrees) + 1), angles.degrees, *columns, strict=True)
    return csv_text(("angle", "degrees", *names), rows)


def _band(x: list[int], band: Band, name: str, color: str, dash: str) -> list[go.Scatter]:
    """A filled area between quantiles, and the median as a line."""
    wide = [x[0] - _REACH, *x, x[-1] + _REACH]
    low, middle, high = ([one[0], *one, one[-1]] for one in (band.low, band.median, band.high))
    area = go.Scatter(
        x=[*wide, *reversed(wide)],
        y=[*high, *reversed(low)],
        fill="toself",
        fillcolor=translucent(color, 0.18),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    line = go.Scatter(
        x=wide,
        y=middle,
        mode="lines",
        name=f"{name}: median, 5–95 %",
        line={"color": color, "width": 1.5, "dash": dash},
        hovertemplate=f"{name}: %{{y:.1f}}°<extra></extra>",
    )
    return [area, line]
