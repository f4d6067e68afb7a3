"""Spans as plotly figures. No Streamlit here."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from explorer.charts import ACTIVE, translucent
from explorer.tables import csv_text
from explorer.views.energy import Curve, Energy, Line
from explorer.views.neighbourhood import Neighbourhood
from explorer.wording import percent

# Of the colour-blind safe set of Okabe & Ito, readable on both backgrounds; told apart by dashes and marks as well.
_COLOURS: dict[Line, str] = {
    "own": ACTIVE,
    "own random": ACTIVE,
    "shared": "#1f9e89",
    "best": "#2f7fd1",
    "random": "#8a9099",
    "pictures": "#c2479b",
    "neighbours": "#c2479b",
}
_DASHES: dict[Line, str] = {
    "own": "solid",
    "own random": "dot",
    "shared": "dash",
    "best": "dot",
    "random": "longdashdot",
    "pictures": "longdash",
    "neighbours": "dot",
}
_SYMBOLS: dict[Line, str] = {
    "own": "circle",
    "own random": "circle-open",
    "shared": "square",
    "best": "diamond",
    "random": "x",
    "pictures": "triangle-up",
    "neighbours": "triangle-up-open",
}
_SET_STYLES = (("#2f7fd1", "solid"), ("#1f9e89", "dot"), ("#8a9099", "dash"), ("#8a9099", "dashdot"))
# Under the lowest of three lines, at the left, where no curve is as high.
_LEVELS = {
    "text": "lines: 90, 95 and 99 %",
    "x": 0.01,
    "xref": "paper",
    "xanchor": "left",
    "y": 89,
    "yanchor": "top",
    "showarrow": False,
    "font": {"size": 11},
}
_RULE = {"color": "rgba(134, 138, 145, 0.45)", "width": 1, "dash": "dot"}
_HEIGHT, _LEGEND_ROW = 300, 17  # pixels; on a phone the legend has a row for every curve


def energy_chart(view: Energy) -> go.Figure:
    """A median and a band for each curve."""
    traces: list[go.Scatter] = []
    for curve in view.curves:
        traces += _band(curve, with_band=curve.line in ("own", "random", "pictures", "neighbours"))
    n = max((len(curve.middle) for curve in view.curves), default=1)
    xaxis = {"title": {"text": "number of directions j"}, "dtick": 1 if n <= 16 else 8, "range": [0.6, n + 0.4]}
    layout = _layout(xaxis, "share in the span, %", len(view.curves))
    layout["shapes"] = [_told(view.j)] if view.j < n else []
    return go.Figure(traces, layout)


def energy_csv(view: Energy) -> str:
    """The same as a table."""
    rows = [
        (curve.name, j + 1, middle, low, high)
        for curve in view.curves
        for j, (middle, low, high) in enumerate(zip(curve.middle, curve.low, curve.high, strict=True))
    ]
    return csv_text(("curve", "directions", "share_median", "share_low", "share_high"), rows)


def mass_chart(view: Neighbourhood) -> go.Figure:
    """Share of the activation mass against the number of latents, one line a set."""
    traces = [
        go.Scatter(
            x=list(range(1, len(row.kept) + 1)),
            y=[100 * share for share in row.kept],
            mode="lines",
            name=row.name,
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{x} latents: %{y:.0f} %<extra>" + _plain(row.name) + "</extra>",
        )
        for row, (colour, dash) in zip(view.rows, _styles(len(view.rows)), strict=True)
    ]
    xaxis = {"title": {"text": "number of latents, most mass first (log scale)"}, "type": "log"}
    layout = _layout(xaxis, "share of all activation, %", len(view.rows))
    layout["shapes"] = [_level(share) for share in (90, 95, 99)]
    layout["annotations"] = [_LEVELS]
    return go.Figure(traces, layout)


def mass_csv(view: Neighbourhood) -> str:
    """The same as a table."""
    rows = ((row.name, j + 1, share) for row in view.rows for j, share in enumerate(row.kept))
    return csv_text(("pictures", "latents", "share_of_mass"), rows)


def _band(curve: Curve, with_band: bool) -> list[go.Scatter]:
    x = list(range(1, len(curve.middle) + 1))
    colour = _COLOURS[curve.line]
    middle = go.Scatter(
        x=x,
        y=[100 * share for share in curve.middle],
        mode="lines+markers" if len(x) <= 16 else "lines",
        name=curve.name,
        line={"color": colour, "dash": _DASHES[curve.line], "width": 2},
        marker={"size": 5, "symbol": _SYMBOLS[curve.line]},
        customdata=[f"{percent(a)} to {percent(b)}" for a, b in zip(curve.low, curve.high, strict=True)],
        hovertemplate="j = %{x}: %{y:.1f} % (%{customdata})<extra>" + curve.name + "</extra>",
    )
    if not with_band or curve.low == curve.high:
        return [middle]
    edge: dict[str, Any] = {"x": x, "mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
    low = go.Scatter(y=[100 * share for share in curve.low], **edge)
    high = go.Scatter(
        y=[100 * share for share in curve.high], fill="tonexty", fillcolor=translucent(colour, 0.16), **edge
    )
    return [low, high, middle]


def _layout(xaxis: dict[str, Any], share: str, n_curves: int) -> dict[str, Any]:
    """The legend stands above: below, it would lie on the axis's title as soon as it takes several rows."""
    return {
        "height": _HEIGHT + _LEGEND_ROW * n_curves,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"orientation": "h", "traceorder": "normal", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
        "xaxis": {**xaxis, "fixedrange": True, "zeroline": False},
        "yaxis": {"title": {"text": share}, "range": [0, 102], "fixedrange": True, "zeroline": False},
    }


def _told(j: int) -> dict[str, Any]:
    """Where the sentence reads the curves."""
    return {"type": "line", "x0": j, "x1": j, "y0": 0, "y1": 1, "yref": "paper", "line": _RULE, "layer": "below"}


def _level(share: float) -> dict[str, Any]:
    return {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": share, "y1": share, "line": _RULE}


def _styles(n: int) -> list[tuple[str, str]]:
    """The neighbourhood's, then (where there is one) the label's, then those of random sets."""
    return [*_SET_STYLES[: n - 2], *_SET_STYLES[-2:]]


def _plain(text: str) -> str:
    """plotly reads a little HTML in names."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
