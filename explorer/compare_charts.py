"""Comparisons as plotly figures. No Streamlit here."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from explorer.tables import csv_text
from explorer.views.angles import Angles
from explorer.views.compare import Comparison, Part, Where
from explorer.wording import figure, plural, signed

_INK = "#8a9099"
_BASELINE = "#2f7fd1"
_A, _B = "#56a0e0", "#1f9e89"
COLORS: dict[Where, str] = {"both": _INK, "a": _A, "b": _B, "neither": "#b9bdc4"}
_GROUPS: dict[Where, str] = {"both": "active on both sides", "a": "only in A", "b": "only in B"}
_ROW = 25  # pixels
_LONGEST = 30  # characters of a latent's name beside its bar


def parts_chart(view: Comparison) -> go.Figure:
    """Bars that begin where the one above ends: latents, the rest, bias, residual; they end at the cosine."""
    steps = _steps(view)
    start, bars = 0.0, []
    for label, part, color, said in steps:
        bars.append((label, start, part, color, said))
        start += part
    bars.append(("= cosine", 0.0, view.cosine, "#5d636c", f"cosine {figure(view.cosine, 4)}"))
    labels, bases, lengths, colors, hints = zip(*bars, strict=True)
    places = list(range(len(bars)))
    trace = go.Bar(
        orientation="h",
        y=places,
        x=lengths,
        base=bases,
        width=0.72,
        marker={"color": colors, "line": {"width": 0}},
        text=[signed(length, 3) for length in lengths[:-1]] + [figure(view.cosine, 3)],
        textposition="outside",
        cliponaxis=False,
        customdata=hints,
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    return go.Figure([trace, *_legend()], _parts_layout(view, list(labels), [*bases], [*lengths]))


def parts_csv(view: Comparison) -> str:
    """The same as a table."""
    rows: list[tuple[object, ...]] = [
        (
            one.ref.latent,
            one.ref.name or "",
            _GROUPS.get(one.where, "kept, not active"),
            one.mean_a,
            one.mean_b,
            one.part,
        )
        for one in view.bars
    ]
    if view.rest.n:
        rows.append(("rest", f"{view.rest.n} latents", "", "", "", view.rest.part))
    rows.append(("bias", "", "", "", "", view.bias))
    rows += [("residual", "", "", "", "", view.residual), ("cosine", "", "", "", "", view.cosine)]
    rows += [("baseline", "random pictures", "", "", "", view.baseline)]
    return csv_text(("latent", "name", "where", "mean_activation_a", "mean_activation_b", "part_of_cosine"), rows)


def angles_chart(angles: Angles) -> go.Figure:
    """Each principal angle, and the bands where random spans have theirs."""
    x = list(range(1, len(angles.degrees) + 1))
    measured = go.Scatter(
        x=x,
        y=angles.degrees,
        mode="lines+markers",
        name="these two spans",
        line={"color": "#5d636c", "width": 2},
        marker={"size": 7, "color": "#5d636c"},
        hovertemplate="angle %{x}: %{y:.1f}°<extra></extra>",
    )
    traces = [
        *_band(x, angles.random.low, angles.random.high, angles.random.median, "random directions", _INK, "dot"),
        *_band(x, angles.latents.low, angles.latents.high, angles.latents.median, "random latents", _BASELINE, "dash"),
        measured,
    ]
    layout = {
        "height": 300,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {
            "title": {"text": "principal angle, smallest first"},
            "dtick": max(1, len(x) // 8),
            "fixedrange": True,
        },
        "yaxis": {"title": {"text": "degrees"}, "range": [-2, 92], "dtick": 30, "fixedrange": True},
    }
    return go.Figure(traces, layout)


def angles_csv(angles: Angles) -> str:
    """The same as a table, degrees."""
    bands = (angles.random, angles.latents)
    names = [f"random_{kind}_{what}" for kind in ("directions", "latents") for what in ("p5", "median", "p95")]
    columns = [column for band in bands for column in (band.low, band.median, band.high)]
    rows = zip(range(1, len(angles.degrees) + 1), angles.degrees, *columns, strict=True)
    return csv_text(("angle", "degrees", *names), rows)


def _steps(view: Comparison) -> list[tuple[str, float, str, str]]:
    """Label, part, colour and what hovering tells."""
    steps = [(_label(one), one.part, COLORS[one.where], _said(one)) for one in view.bars]
    if view.rest.n:
        rest = plural(view.rest.n, "latent")
        steps.append((f"rest: {rest}", view.rest.part, _INK, f"{rest} with smaller parts: {signed(view.rest.part, 4)}"))
    steps.append(("decoder bias", view.bias, COLORS["neither"], f"what every picture shares: {signed(view.bias, 4)}"))
    said = f"what the codes leave out: {signed(view.residual, 4)}"
    return [*steps, ("residual", view.residual, COLORS["neither"], said)]


def _label(one: Part) -> str:
    name = one.ref.name or "unnamed"
    return escape(f"#{one.ref.latent} {name if len(name) <= _LONGEST else name[: _LONGEST - 1] + '…'}")


def _said(one: Part) -> str:
    where = _GROUPS.get(one.where, "kept by Top-K, not active")
    means = f"mean activation A {figure(one.mean_a, 3)}, B {figure(one.mean_b, 3)}"
    return f"{_label(one)}<br>{where}: {signed(one.part, 4)}<br>{means}"


def _legend() -> list[go.Bar]:
    """Bars of nothing, for the legend's sake."""
    return [go.Bar(x=[None], y=[None], name=_GROUPS[where], marker={"color": COLORS[where]}) for where in _GROUPS]


def _parts_layout(view: Comparison, labels: list[str], bases: list[float], lengths: list[float]) -> dict[str, Any]:
    ends = [0.0, view.baseline, *bases, *(base + length for base, length in zip(bases, lengths, strict=True))]
    room = 0.13 * (max(ends) - min(ends))
    line = {"color": _BASELINE, "width": 2, "dash": "dot"}
    at = view.baseline
    note = {
        "x": at,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "text": f"baseline: {figure(at, 3)}, random pictures",
        "font": {"color": _BASELINE, "size": 12},
        "showarrow": False,
    }
    return {
        "height": 96 + _ROW * len(labels),
        "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
        "barmode": "overlay",
        "legend": {"orientation": "h", "y": -0.06, "yanchor": "top", "x": 0},
        "shapes": [{"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}],
        "annotations": [note],
        "xaxis": {
            "title": {"text": "sum of parts (cosine)", "standoff": 4},
            "range": [min(ends) - room, max(ends) + room],
            "fixedrange": True,
            "zeroline": True,
            "side": "bottom",
        },
        "yaxis": {
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
            "range": [len(labels) - 0.4, -0.6],
            "fixedrange": True,
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
        },
    }


def _band(
    x: list[int],
    low: tuple[float, ...],
    high: tuple[float, ...],
    middle: tuple[float, ...],
    name: str,
    color: str,
    dash: str,
) -> list[go.Scatter]:
    """A filled area between quantiles, and the median as a line."""
    fill = f"rgba({int(color[1:3], 16)}, {int(color[3:5], 16)}, {int(color[5:7], 16)}, 0.18)"
    area = go.Scatter(
        x=[*x, *reversed(x)],
        y=[*high, *reversed(low)],
        fill="toself",
        fillcolor=fill,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    line = go.Scatter(
        x=x,
        y=middle,
        mode="lines",
        name=f"{name} (5–95 %)",
        line={"color": color, "width": 1.5, "dash": dash},
        hovertemplate=f"{name}, angle %{{x}}: %{{y:.1f}}°<extra></extra>",
    )
    return [area, line]
