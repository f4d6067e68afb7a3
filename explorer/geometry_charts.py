"""Pictures along concepts as plotly figures. No Streamlit here.

Every point carries its picture as customdata (`static/points.js` reads it: place, address, thumbnail, texts).
"""

from __future__ import annotations

import math
from html import escape
from typing import Any

import plotly.graph_objects as go

from explorer.tables import csv_text
from explorer.views.geometry import Geometry, Group
from explorer.views.parts import LatentRef
from explorer.wording import figure

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


def _points(group: Group, first: int, second: int, color: str, symbol: str, size: int, opacity: float) -> go.Scatter:
    return go.Scatter(
        x=[point.at[first] for point in group.points],
        y=[point.at[second] for point in group.points],
        mode="markers",
        name=escape(short(group.name)),
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
    return f"along {named(view.axes[axis].ref)}{less[axis]}"


def named(ref: LatentRef) -> str:
    """A latent with a shortened name, escaped."""
    return escape(ref.in_plots(_LONGEST))


def short(text: str) -> str:
    """At most _LONGEST characters."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
