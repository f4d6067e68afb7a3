"""The deletion test's curves as a plotly figure and a table. No Streamlit here."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.tables import csv_text
from explorer.views.where import Deletion
from sae_core.heatmaps import DeletionCurve

DELETION_HEIGHT = 300
# Okabe and Ito's, without the orange that means "active".
_BLUE, _GREEN, _GREY = "#0072b2", "#009e73", "#868a91"


def deletion_figure(deletion: Deletion) -> go.Figure:
    """The pre-activation as cells go, in every order."""
    share = deletion.occlusion.removed.tolist()
    random = np.stack([curve.pre_activations for curve in deletion.random])
    band = {"x": share, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    traces = [
        go.Scatter(y=random.min(0).tolist(), **band),
        go.Scatter(y=random.max(0).tolist(), fill="tonexty", fillcolor="rgba(134, 138, 145, 0.25)", **band),
        _line(share, random.mean(0), f"{len(random)} random orders: mean and range", _GREY, "solid"),
        _line(share, deletion.centre.pre_activations, "from the centre outwards", _GREY, "dot"),
        _line(share, deletion.gradients.pre_activations, "integrated gradients", _GREEN, "dash"),
        _line(share, deletion.occlusion.pre_activations, "occlusion", _BLUE, "solid"),
    ]
    layout = {
        "height": DELETION_HEIGHT,
        "margin": {"l": 8, "r": 20, "t": 8, "b": 8},
        "xaxis": {
            "title": {"text": "share of the picture removed"},
            "tickformat": ".0%",
            "range": [0, 1],
            "fixedrange": True,
        },
        "yaxis": {"title": {"text": "pre-activation"}, "fixedrange": True},
        "legend": {"orientation": "h", "y": -0.3, "yanchor": "top", "traceorder": "reversed"},
    }
    return go.Figure(traces, layout)


def deletion_csv(deletion: Deletion) -> str:
    """A line a share removed, a column an order."""
    curves: list[tuple[str, DeletionCurve]] = [
        ("occlusion", deletion.occlusion),
        ("integrated_gradients", deletion.gradients),
        ("centre_outwards", deletion.centre),
        *((f"random_{number}", curve) for number, curve in enumerate(deletion.random)),
    ]
    columns = [deletion.occlusion.removed, *(curve.pre_activations for _, curve in curves)]
    names = ("share_removed", *(name for name, _ in curves))
    return csv_text(names, zip(*(column.tolist() for column in columns), strict=True))


def _line(x: list[float], y: np.ndarray, name: str, colour: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y.tolist(),
        name=name,
        mode="lines",
        line={"color": colour, "dash": dash, "width": 2},
        hovertemplate="%{x:.0%} removed: %{y:.3f}<extra>" + name + "</extra>",
    )
