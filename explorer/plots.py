"""A plot and the links that save it: as PNG, as SVG, and its data as CSV."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
import streamlit as st

from explorer.grid import draw


def draw_plot(figure: go.Figure, key: str, title: str, csv: str) -> None:
    """The plot with its links; `key` is unique on the page, `title` names the files, `csv` is the plot's data.

    The browser itself makes the files (static/save.js), so that a plot of an upload is saved without the upload being
    kept anywhere.
    """
    with st.container(key=f"plot-{key}"):
        # The mode bar is there for its picture button, which save.js presses; the style sheet hides it.
        st.plotly_chart(figure, key=f"figure-{key}", config={"displayModeBar": True, "displaylogo": False})
        draw(save_links(title, csv))


def save_links(title: str, csv: str) -> str:
    """Buttons that save the plot of their container, and the data, which they find beside them."""
    name = escape("-".join(title.lower().split())[:80])
    buttons = "".join(
        f'<button type="button" class="sp-copy" data-save="{kind}" data-name="{name}" '
        f'aria-label="save “{escape(title)}” as {kind.upper()}">{kind.upper()}</button>'
        for kind in ("png", "svg", "csv")
    )
    return f'<div class="sp-saves">{buttons}<pre hidden>{escape(csv)}</pre></div>'
