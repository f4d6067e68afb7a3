"""How one figure is spread over the latents, as a page draws it."""

from __future__ import annotations

import streamlit as st

from explorer.grid import draw
from explorer.plots import draw_plot
from explorer.quality_charts import distribution_chart, distribution_csv
from explorer.sections.quality import heading
from explorer.views.distributions import Distribution


def draw_distribution(one: Distribution, beside: str) -> None:
    """The question, the answer and the chart; `beside` is HTML."""
    chart, side = st.columns([1.9, 1], gap="large")
    with chart:
        draw(heading(one))
        with st.container(key=f"quality-{one.key}"):
            draw_plot(distribution_chart(one), f"chart-{one.key}", f"{one.key} of all latents", distribution_csv(one))
    with side:
        draw(beside)
