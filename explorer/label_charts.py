"""Concepts by label as a plotly figure. No Streamlit here."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from explorer.charts import ACTIVE, translucent
from explorer.geometry_charts import named, short
from explorer.tables import csv_text
from explorer.views.label_concepts import LabelConcepts
from explorer.wording import NBSP, percent, plural

_EDGE = "#868a91"


def label_heat_map(view: LabelConcepts) -> go.Figure:
    """Concepts by label; the first column is the density."""
    rows = [(density, *shares) for density, shares in zip(view.densities, view.shares, strict=True)]
    columns = ["all pictures", *(escape(("" if label.own else "≈ ") + short(label.title)) for label in view.labels)]
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
        "yaxis": _names([named(ref) for ref in view.concepts], "", side="left") | {"range": [len(rows) - 0.5, -0.5]},
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
    """Percentages in the cells, in the page's ink (compare.css): its own texts take no account of transparency."""
    places = [(x, y, share) for y, row in enumerate(rows) for x, share in enumerate(row)]
    return go.Scatter(
        x=[x for x, _, _ in places],
        y=[y for _, y, _ in places],
        text=[percent(share).removesuffix(f"{NBSP}%") for _, _, share in places],
        mode="text",
        textfont={"size": 11},
        hoverinfo="skip",
    )


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
        every = f"{named(ref)}<br>active in {percent(ref.density)} of all pictures"
        row = [
            f"{named(ref)}<br>active in {percent(share)} of the {plural(label.n, 'picture')} labelled "
            f"“{escape(label.title)}”<br>all pictures: {percent(ref.density)}"
            for label, share in zip(view.labels, shares, strict=True)
        ]
        hints.append([every, *row])
    return hints


def _edge() -> dict[str, Any]:
    """Between the baseline and the labels."""
    line = {"color": _EDGE, "width": 1.5}
    return {"type": "line", "x0": 0.5, "x1": 0.5, "y0": 0, "y1": 1, "yref": "paper", "line": line}
