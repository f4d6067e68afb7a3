"""The parts of a cosine as a plotly figure. No Streamlit here."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from explorer.charts import row_axis
from explorer.tables import csv_text
from explorer.views.compare import Comparison, Part, Where
from explorer.wording import figure, plural, signed

_INK, _DARK, _LIGHT = "#8a9099", "#6c737d", "#b9bdc4"
_BASELINE = "#2f7fd1"
COLORS: dict[Where, str] = {"both": _INK, "a": "#56a0e0", "b": "#1f9e89", "neither": _LIGHT}
_GROUPS: dict[Where, str] = {"both": "active on both sides", "a": "only in A", "b": "only in B"}
_ROW = 25  # pixels
_BETWEEN = 3.4  # rows of space between the two panels, for the axis of the upper one
_ROOM = 0.3  # of the bars' range, beside them: on a phone a number needs as much
_LONGEST = 24  # characters of a latent's name beside its bar


def parts_chart(view: Comparison) -> go.Figure:
    """Above, the largest parts on a scale of their own; below, the sum: each bar begins where the one above ends."""
    n_above, n_below = len(view.bars), len(_sums(view)) + 1
    share = n_below / (n_above + n_below + _BETWEEN)
    layout = {
        "height": int(110 + _ROW * (n_above + n_below + _BETWEEN)),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "barmode": "overlay",
        "legend": {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
        "xaxis": _axis([0.0, *(one.part for one in view.bars)], "part of the cosine", "y"),
        "yaxis": row_axis([_label(one) for one in view.bars])
        | {"domain": [share + (1 - share) * _BETWEEN / (n_above + _BETWEEN), 1]},
        "xaxis2": _axis([*_ends(view), view.baseline], "sum of all parts: the cosine", "y2"),
        "yaxis2": row_axis([label for label, *_ in _sums(view)] + ["= cosine"]) | {"domain": [0, share]},
        **_baseline(view.baseline, min(_ends(view)), max(_ends(view))),
    }
    return go.Figure([_above(view), _below(view), *_legend()], layout)


def parts_csv(view: Comparison) -> str:
    """The same as a table, with every latent that the figure sums."""
    rows: list[tuple[object, ...]] = [
        (one.ref.latent, one.ref.in_tables, _where(one), one.mean_a, one.mean_b, one.part)
        for one in (*view.bars, *view.others)
    ]
    others = [("bias", view.bias), ("residual", view.residual), ("cosine", view.cosine)]
    others += [(f"random_pictures_{name}", value) for name, value in view.chance._asdict().items()]
    others += [
        (f"meaningless_strings_for_{one.side}_{name}", value)
        for one in view.meaningless
        for name, value in one.cosine._asdict().items()
    ]
    rows += [(name, "", "", "", "", part) for name, part in others]
    return csv_text(("latent", "name", "where", "mean_activation_a", "mean_activation_b", "part_of_cosine"), rows)


def _above(view: Comparison) -> go.Bar:
    parts = [one.part for one in view.bars]
    return _bars(parts, [0.0] * len(parts), [COLORS[one.where] for one in view.bars], [_said(one) for one in view.bars])


def _below(view: Comparison) -> go.Bar:
    sums = _sums(view)
    parts = [part for _, part, _ in sums]
    bases = [sum(parts[:i]) for i in range(len(parts))]
    said = [f"{hint}: {signed(part, 4)}" for _, part, hint in sums] + [f"cosine {figure(view.cosine, 4)}"]
    bars = _bars([*parts, view.cosine], [*bases, 0.0], [*[_LIGHT] * len(parts), _DARK], said)
    return bars.update(xaxis="x2", yaxis="y2")


def _bars(lengths: list[float], bases: list[float], colors: list[str], said: list[str]) -> go.Bar:
    return go.Bar(
        orientation="h",
        y=list(range(len(lengths))),
        x=lengths,
        base=bases,
        width=0.72,
        marker={"color": colors, "line": {"width": 0}},
        text=[signed(length, 3) for length in lengths],
        textposition="outside",
        textfont={"size": 11},
        cliponaxis=False,
        customdata=said,
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )


def _sums(view: Comparison) -> list[tuple[str, float, str]]:
    """Label, part, and what hovering tells, of everything but single latents."""
    n, part = len(view.bars), sum(one.part for one in view.bars)
    rows = [(f"the {plural(n, 'latent')} above", part, "all bars of the upper panel")] if n else []
    if view.others:
        rest = plural(len(view.others), "other latent")
        rows.append((rest, view.rest, f"{rest}, each with a smaller part"))
    if view.centred:
        rows.append(("bias less the mean", view.bias, "the decoder bias less the store’s mean embedding"))
    else:
        rows.append(("decoder bias", view.bias, "what every picture has in common"))
    return [*rows, ("residual", view.residual, "what the codes leave out")]


def _ends(view: Comparison) -> list[float]:
    ends = [0.0, view.cosine]
    for _, part, _ in _sums(view):
        ends.append(ends[-1] + part if len(ends) > 2 else part)
    return ends


def _label(one: Part) -> str:
    return escape(one.ref.in_plots(_LONGEST))


def _where(one: Part) -> str:
    return _GROUPS.get(one.where, "kept by Top-K, not active")


def _said(one: Part) -> str:
    means = f"mean activation A {figure(one.mean_a, 3)}, B {figure(one.mean_b, 3)}"
    return f"{_label(one)}<br>{_where(one)}: {signed(one.part, 4)}<br>{means}"


def _legend() -> list[go.Bar]:
    """Bars of nothing, for the legend's sake."""
    return [go.Bar(x=[None], y=[None], name=_GROUPS[where], marker={"color": COLORS[where]}) for where in _GROUPS]


def _axis(ends: list[float], title: str, anchor: str) -> dict[str, Any]:
    """Room on either side for the numbers at the bars' ends."""
    low, high = min(ends), max(ends)
    room = _ROOM * ((high - low) or 1.0)
    return {
        "title": {"text": title, "standoff": 4},
        "range": [low - (room if low < 0 else 0.1 * room), high + (room if high > 0 else 0.1 * room)],
        "fixedrange": True,
        "zeroline": True,
        "anchor": anchor,
        "nticks": 5,
        "tickangle": 0,
    }


def _baseline(at: float, low: float, high: float) -> dict[str, Any]:
    """Where random pictures are, a line through the lower panel; its words lie where there is more room."""
    line = {"color": _BASELINE, "width": 2, "dash": "dot"}
    note = {
        "x": at,
        "xref": "x2",
        "y": 1,
        "yref": "y2 domain",
        "xanchor": "left" if at < (low + high) / 2 else "right",
        "yanchor": "bottom",
        "text": f"baseline: {figure(at, 3)}, random pictures",
        "font": {"color": _BASELINE, "size": 12},
        "showarrow": False,
    }
    shape = {"type": "line", "xref": "x2", "x0": at, "x1": at, "yref": "y2 domain", "y0": 0, "y1": 1, "line": line}
    return {"shapes": [shape], "annotations": [note]}
