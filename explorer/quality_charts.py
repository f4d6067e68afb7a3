"""Distributions of the report card as plotly figures. No Streamlit here."""

from __future__ import annotations

import math
from itertools import chain, pairwise
from typing import Any

import plotly.graph_objects as go

from explorer.charts import bars, count_axis
from explorer.tables import csv_text
from explorer.views.distributions import Distribution, Outline
from explorer.wording import NBSP, figure, percent, plural

HEIGHT = 240
_BAR = "#8a9099"  # shares and counts are ink, on both backgrounds
_BASELINE = "#2f7fd1"
RANDOM = "#c2479b"  # random directions; readable on both backgrounds
_EMPTY = 0.01  # latents
_NAMES = {"covariance": "random, as pictures vary", "isotropic": "random, isotropic"}


def distribution_chart(one: Distribution) -> go.Figure:
    """Latents per bin, random directions as an outline, the baseline as a line. The count axis is logarithmic."""
    layout = {
        "height": HEIGHT + (24 if one.outlines else 0),
        "margin": {"l": 8, "r": 8, "t": 50 if one.outlines else 26, "b": 8},
        "bargap": 0.06,
        "showlegend": bool(one.outlines),
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.13, "yanchor": "bottom", "itemclick": False},
        "xaxis": _figure_axis(one),
        "yaxis": count_axis(
            math.ceil(max((*one.counts, *(n for control in one.outlines for n in control.counts)), default=1)),
            "latents",
        ),
    }
    if math.isfinite(one.baseline):
        layout |= _baseline(one)
    return go.Figure([_bars(one), *(_outline(one, control) for control in one.outlines)], layout)


def distribution_csv(one: Distribution) -> str:
    """The same as a table; edges are the figure's own, not logarithms."""
    edges = [10.0**edge if one.log else edge for edge in one.edges]
    columns = {f"{one.key}_from": edges[:-1], f"{one.key}_to": edges[1:], "latents": one.counts}
    columns |= {f"random_{control.kind}": [round(n, 3) for n in control.counts] for control in one.outlines}
    return csv_text(tuple(columns), zip(*columns.values(), strict=True))


def _bars(one: Distribution) -> go.Bar:
    pairs = zip(pairwise(one.edges), one.counts, strict=True)
    said = [f"{_written(one, low)} to {_written(one, high)}: {plural(n, 'latent')}" for (low, high), n in pairs]
    return bars(one.edges, one.counts, said, _BAR).update(name="latents")


def _largest(one: Distribution) -> int:
    counts = chain(one.counts, *(control.counts for control in one.outlines))
    return math.ceil(max(counts, default=1))


def _outline(one: Distribution, control: Outline) -> go.Scatter:
    """As many random directions, a step a bin; an empty bin lies under the axis, whose logarithm has no zero."""
    return go.Scatter(
        x=[edge for span in pairwise(one.edges) for edge in span],
        y=[max(n, _EMPTY) for n in control.counts for _ in range(2)],
        mode="lines",
        line={"color": RANDOM, "width": 2, "dash": "solid" if control.kind == "covariance" else "dot"},
        hoverinfo="skip",
        name=_NAMES[control.kind],
    )


def _figure_axis(one: Distribution) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": one.axis}, "range": [one.edges[0], one.edges[-1]], "fixedrange": True}
    if one.log:  # bars of equal width: the logarithms are drawn, the figures written
        decades = range(math.floor(one.edges[0]), math.ceil(one.edges[-1]) + 1)
        axis |= {"tickvals": list(decades), "ticktext": [f"{100 * 10.0**decade:g}{NBSP}%" for decade in decades]}
    return {**axis, "zeroline": False}


def _baseline(one: Distribution) -> dict[str, Any]:
    at = math.log10(one.baseline) if one.log else one.baseline
    left = at < (one.edges[0] + one.edges[-1]) / 2
    line = {"color": _BASELINE, "width": 2, "dash": "dot"}
    shape = {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    words = {
        "x": at,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "left" if left else "right",
        "text": f"baseline: {one.baseline_words}",
        "font": {"color": _BASELINE, "size": 12},
        "showarrow": False,
    }
    return {"shapes": [shape], "annotations": [words]}


def _written(one: Distribution, edge: float) -> str:
    return percent(10.0**edge) if one.log else figure(edge)
