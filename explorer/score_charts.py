"""A CLIP score taken apart, as a plotly figure and a table. No Streamlit here."""

from __future__ import annotations

from html import escape
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from explorer.charts import ACTIVE, row_axis
from explorer.tables import csv_text
from explorer.views.scores import Scores, Step
from explorer.wording import figure, plural, signed

_INK, _DARK = "#8a9099", "#6c737d"
_BASELINE = "#2f7fd1"
_ROW = 26  # pixels
_LONGEST = 22  # characters of a latent's name beside its bar


def waterfall(view: Scores) -> go.Figure:
    """Each bar begins where the one above ends; the last is the score. The line is the store's mean score."""
    values = [step.value for step in view.steps]
    ends = list(accumulate(values))
    starts = [0.0, *ends[:-1]]
    total, mean = view.score.picture, view.score.store_mean
    labels = [*(_label(step) for step in view.steps), "= CLIP score"]
    layout = {
        "height": 64 + _ROW * len(labels),
        "margin": {"l": 8, "r": 8, "t": 26, "b": 8},
        "showlegend": False,
        "xaxis": _score_axis(
            [0.0, mean, *starts, *ends], [end for end, value in zip(ends, values, strict=True) if value < 0]
        ),
        "yaxis": row_axis(labels),
        **_baseline(mean),
    }
    return go.Figure([_bars([*values, total], [*starts, 0.0], view)], layout)


def waterfall_csv(view: Scores) -> str:
    """Every part of the chosen score, also those that the figure sums."""
    parts = view.parts.latent_parts[view.chosen]
    rows: list[tuple[object, ...]] = [
        (ref.latent, ref.in_tables, float(activation), float(part))
        for ref, activation, part in zip(view.refs, view.activations, parts, strict=True)
    ]
    sums = {step.kind: step.value for step in view.steps}
    rows += [(name, "", "", sums[name]) for name in ("bias", "residual")]
    rows += [("score", "", "", view.score.picture), ("store mean", "", "", view.score.store_mean)]
    return csv_text(("latent", "name", "activation", "part_of_score"), rows)


def _bars(lengths: list[float], starts: list[float], view: Scores) -> go.Bar:
    """The accent for what is active; falling bars are hatched."""
    colors = [ACTIVE if step.kind in ("latent", "others") else _INK for step in view.steps] + [_DARK]
    said = [*(_said(step) for step in view.steps), f"CLIP score {figure(view.score.picture, 4)}"]
    marker = {
        "color": colors,
        "line": {"width": 0},
        "pattern": {"shape": ["/" if length < 0 else "" for length in lengths], "size": 5, "solidity": 0.45},
    }
    return go.Bar(
        orientation="h",
        y=list(range(len(lengths))),
        x=lengths,
        base=starts,
        width=0.72,
        marker=marker,
        text=[*(signed(length, 3) for length in lengths[:-1]), f"<b>{figure(lengths[-1], 3)}</b>"],
        textposition="outside",
        cliponaxis=False,
        customdata=said,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _label(step: Step) -> str:
    if step.ref is not None:
        return escape(step.ref.in_plots(_LONGEST))
    if step.kind == "others":
        return plural(step.n, "other latent")
    return f"{step.n} kept, not active" if step.kind == "inactive" else step.kind


def _said(step: Step) -> str:
    what = escape(step.ref.text) if step.ref is not None else _label(step)
    return f"{what}: {signed(step.value, 4)}"


def _score_axis(ends: list[float], falling: list[float]) -> dict[str, Any]:
    """Room for the figures outside the bars: at the right, and at the left of those that fall to `falling`."""
    low, high = min(ends), max(ends)
    span = max(high - low, 1e-3)
    return {
        "title": {"text": "sum of the parts so far (cosine)"},
        "range": [min([low - 0.01 * span, *(end - 0.16 * span for end in falling)]), high + 0.16 * span],
        "fixedrange": True,
        "zeroline": True,
        "zerolinecolor": _INK,
        "zerolinewidth": 1,
    }


def _baseline(mean: float) -> dict[str, Any]:
    line = {"color": _BASELINE, "width": 2, "dash": "dot"}
    shape = {"type": "line", "x0": mean, "x1": mean, "y0": 0, "y1": 1, "yref": "paper", "line": line, "layer": "below"}
    words = {
        "x": mean,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "text": f"baseline: store’s mean {figure(mean, 3)}",
        "font": {"color": _BASELINE, "size": 12},
        "showarrow": False,
    }
    return {"shapes": [shape], "annotations": [words]}
