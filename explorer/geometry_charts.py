"""Pictures along concepts, and concepts by label, as plotly figures. No Streamlit here.

Every point carries its picture as customdata (`static/points.js` reads it: place, address, thumbnail, texts).
"""

from __future__ import annotations

import math
from html import escape
from typing import Any

import plotly.graph_objects as go

from explorer.charts import ACTIVE, translucent
from explorer.tables import csv_text
from explorer.views.geometry import Geometry, Group
from explorer.views.label_concepts import LabelConcepts
from explorer.views.parts import LatentRef
from explorer.wording import NBSP, figure, percent, plural

_MINE, _GREY = "#1f9e89", "#a9adb3"
_GALLERIES = (("#4a90d9", "square"), ("#b86fb5", "diamond"), ("#b59a2f", "triangle-up"))
_ARROW = "#868a91"
_LONGEST = 24  # characters of a name


def plane_chart(view: Geometry, first: int, second: int, height: int) -> go.Figure:
    """One plane; both axes have one scale."""
    looks = [(_MINE, "circle", 9, 0.95), *((color, symbol, 7, 0.75) for color, symbol in _GALLERIES)]
    traces = []
    for group in reversed(view.groups):  # the choice's own pictures are drawn last, on top
        at = view.groups.index(group)
        look = (_GREY, "circle", 5, 0.7) if group.name == "random pictures" else looks[at]
        traces.append(_points(group, first, second, *look))
    layout = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hovermode": "closest",
        "dragmode": False,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "reversed"},
        "xaxis": {"title": {"text": _axis_title(view, first)}, "fixedrange": True, "zeroline": True, "nticks": 7},
        "yaxis": {
            "title": {"text": _axis_title(view, second)},
            "fixedrange": True,
            "zeroline": True,
            "scaleanchor": "x",
            "nticks": 7,
        },
        "annotations": _arrows(view, first, second),
    }
    return go.Figure(traces, layout)


def points_csv(view: Geometry) -> str:
    """All points with all their coordinates."""
    columns = [f"along_{axis.ref.latent}" for axis in view.axes]
    rows = (
        (group.name, "" if point.image_id is None else point.image_id, point.label, *point.at)
        for group in view.groups
        for point in group.points
    )
    return csv_text(("group", "image", "label", *columns), rows)


def label_heat_map(view: LabelConcepts) -> go.Figure:
    """Concepts by label; the first column is the density."""
    rows = [(density, *shares) for density, shares in zip(view.densities, view.shares, strict=True)]
    columns = ["all pictures", *(escape(("" if label.own else "≈ ") + _short(label.title)) for label in view.labels)]
    heat = go.Heatmap(
        z=rows,
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        zmin=0,
        zmax=max(max(row) for row in rows) or 1.0,
        colorscale=[[0, translucent(ACTIVE, 0.03)], [1, translucent(ACTIVE, 0.65)]],
        showscale=False,
        xgap=2,
        ygap=2,
        customdata=_heat_hints(view),
        hovertemplate="%{customdata}<extra></extra>",
    )
    layout = {
        "height": 210 + 28 * len(rows),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "xaxis": _names(columns, "active in … % of the label’s pictures", side="top", tickangle=-90)
        | {"range": [-0.5, len(columns) - 0.5]},
        "yaxis": _names([_named(ref) for ref in view.concepts], "", side="left") | {"range": [len(rows) - 0.5, -0.5]},
        "shapes": [_edge()],
    }
    return go.Figure([heat, _numbers(rows)], layout)


def label_csv(view: LabelConcepts) -> str:
    """The same as a table."""
    columns = ("latent", "name", "density", *(label.title for label in view.labels))
    rows = (
        (ref.latent, ref.in_tables, ref.density, *shares)
        for ref, shares in zip(view.concepts, view.shares, strict=True)
    )
    return csv_text(columns, rows)


def _numbers(rows: list[tuple[float, ...]]) -> go.Scatter:
    """Percentages in the cells, in the page's ink (style.css): its own texts take no account of transparency."""
    places = [(x, y, share) for y, row in enumerate(rows) for x, share in enumerate(row)]
    return go.Scatter(
        x=[x for x, _, _ in places],
        y=[y for _, y, _ in places],
        text=[percent(share).removesuffix(f"{NBSP}%") for _, _, share in places],
        mode="text",
        textfont={"size": 11},
        hoverinfo="skip",
    )


def _points(group: Group, first: int, second: int, color: str, symbol: str, size: int, opacity: float) -> go.Scatter:
    return go.Scatter(
        x=[point.at[first] for point in group.points],
        y=[point.at[second] for point in group.points],
        mode="markers",
        name=escape(_short(group.name)),
        marker={"size": size, "color": color, "symbol": symbol, "opacity": opacity, "line": {"width": 0}},
        customdata=[
            [point.href, point.src or "", point.caption, point.label, _place(point.at, first, second)]
            for point in group.points
        ],
        hoverinfo="none",  # the card says it, with the picture
    )


def _place(at: tuple[float, ...], first: int, second: int) -> str:
    return f"{figure(at[first], 3)} | {figure(at[second], 3)}"


def _arrows(view: Geometry, first: int, second: int) -> list[dict[str, Any]]:
    """The concepts' directions as far as they lie in this plane."""
    ends = [abs(point.at[axis]) for group in view.groups for point in group.points for axis in (first, second)]
    reach = 0.85 * max(ends, default=1.0)
    arrows = []
    for ref, direction in zip(view.concepts, view.directions, strict=True):
        x, y = direction[first], direction[second]
        if x * x + y * y < 0.04:  # nearly at right angles to the plane
            continue
        tip = {"x": reach * x, "y": reach * y, "ax": 0, "ay": 0, "xref": "x", "yref": "y", "axref": "x", "ayref": "y"}
        line = {"showarrow": True, "arrowhead": 2, "arrowwidth": 1.2, "arrowcolor": _ARROW, "text": ""}
        words = {"x": reach * x, "y": reach * y, "text": f"#{ref.latent}", "showarrow": False}
        # Away from the origin, where the points are.
        font = {"size": 12, "color": _ARROW}
        aside = {"xshift": math.copysign(18, x), "yshift": math.copysign(10, y), "font": font}
        arrows += [{**tip, **line}, {**words, **aside}]
    return arrows


def _axis_title(view: Geometry, axis: int) -> str:
    less = ("", " (less its part along the first)", " (less its parts along both others)")
    return f"along {_named(view.axes[axis].ref)}{less[axis]}"


def _named(ref: LatentRef) -> str:
    return escape(ref.in_plots(_LONGEST))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _names(texts: list[str], title: str, **more: Any) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(texts))),
        "ticktext": texts,
        "title": {"text": title},
        "fixedrange": True,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        **more,
    }


def _heat_hints(view: LabelConcepts) -> list[list[str]]:
    hints = []
    for ref, shares in zip(view.concepts, view.shares, strict=True):
        every = f"{_named(ref)}<br>active in {percent(ref.density)} of all pictures"
        row = [
            f"{_named(ref)}<br>active in {percent(share)} of the {plural(label.n, 'picture')} labelled "
            f"“{escape(label.title)}”<br>all pictures: {percent(ref.density)}"
            for label, share in zip(view.labels, shares, strict=True)
        ]
        hints.append([every, *row])
    return hints


def _edge() -> dict[str, Any]:
    """Between the baseline and the labels."""
    line = {"color": _ARROW, "width": 1.5}
    return {"type": "line", "x0": 0.5, "x1": 0.5, "y0": 0, "y1": 1, "yref": "paper", "line": line}
