"""Heat maps as plotly figures and tables. No Streamlit here."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import UInt8
from PIL import Image

from explorer.tables import csv_text
from explorer.views.where import WhereView
from explorer.wording import signed

MAP_HEIGHT = 440
# Purple to green (ColorBrewer's PRGn), safe for colour-blind readers; nothing at 0, so that the picture shows.
_COLORS = (
    (0.0, (118, 42, 131), 0.92),
    (0.25, (153, 112, 171), 0.6),
    (0.5, (247, 247, 247), 0.0),
    (0.75, (90, 174, 97), 0.6),
    (1.0, (0, 104, 55), 0.92),
)
_SCALE = [[place, f"rgba({r}, {g}, {b}, {alpha})"] for place, (r, g, b), alpha in _COLORS]
# The same as they look on the pale picture, for the colour bar, which has the page behind it.
_ON_PALE = [
    [place, "rgb({}, {}, {})".format(*(round(255 + alpha * (part - 255)) for part in color))]
    for place, color, alpha in _COLORS
]
_UNITS = {
    "occlusion": "pre-activation that hiding costs",
    "gradients": "part of the pre-activation",
}


def picture_uri(pixels: UInt8[np.ndarray, "crop crop 3"], grey: bool = False) -> str:
    """A picture as data; `grey`: pale and colourless, to lie under a map."""
    image = Image.fromarray(pixels)
    if grey:
        image = image.convert("L").point([round(70 + 0.7 * level) for level in range(256)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def heat_map(view: WhereView) -> go.Figure:
    """The map over the picture's grey levels, colours symmetric around 0."""
    return go.Figure([_cells(view), _color_bar(view)], _over_picture(view))


def heat_map_csv(view: WhereView) -> str:
    """A line a cell: where it is in the crop, in pixels, and its value."""
    edges = view.grid.edges
    rows = (
        (int(edges[r]), int(edges[r + 1]), int(edges[c]), int(edges[c + 1]), float(value))
        for (r, c), value in np.ndenumerate(view.values)
    )
    return csv_text(("top", "bottom", "left", "right", "change_of_pre_activation"), rows)


def _over_picture(view: WhereView) -> dict[str, Any]:
    crop = view.grid.crop
    side = {"ticks": "", "showticklabels": False, "showgrid": False, "zeroline": False}
    side |= {"fixedrange": True, "constrain": "domain"}
    return {
        "height": MAP_HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": {**side, "range": [0, crop]},
        "yaxis": {**side, "range": [crop, 0], "scaleanchor": "x", "constraintoward": "top"},
        "images": [
            {
                "source": picture_uri(view.pixels, grey=True),
                **{"xref": "x", "yref": "y", "x": 0, "y": 0, "sizex": crop, "sizey": crop},
                **{"sizing": "stretch", "layer": "below"},
            }
        ],
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
    }


def _cells(view: WhereView) -> go.Heatmap:
    edges = view.grid.edges.tolist()
    hiding = view.query.method == "occlusion"
    said, factor = ("hiding this changes the pre-activation by", -1) if hiding else ("this cell’s share:", 1)
    return go.Heatmap(
        z=view.values.tolist(),
        x=edges,
        y=edges,
        zmin=-view.scale,
        zmax=view.scale,
        colorscale=_SCALE,
        showscale=False,
        customdata=[[signed(factor * value, 4) for value in row] for row in view.values.tolist()],
        hovertemplate=said + " %{customdata}<extra></extra>",
    )


def _color_bar(view: WhereView) -> go.Scatter:
    """A bar that belongs to no points, since the map's own would show the page through its colours."""
    bar = {
        "orientation": "h",
        **{"thickness": 12, "len": 0.9, "y": -0.01, "yanchor": "top", "nticks": 5},
        "title": {"text": _UNITS[view.query.method], "side": "bottom", "font": {"size": 12}},
    }
    scale = {"color": [0], "cmin": -view.scale, "cmax": view.scale, "colorscale": _ON_PALE}
    marker = {**scale, "showscale": True, "colorbar": bar}
    return go.Scatter(x=[None], y=[None], mode="markers", marker=marker, hoverinfo="skip", showlegend=False)
