"""Quality: the SAE's own report card."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.grid import draw
from explorer.quality_charts import distribution_chart
from explorer.sections import quality as sections
from explorer.stores import current_store
from explorer.views.quality import build_quality

view = build_quality(current_store())
frame.title("Quality")
draw(sections.introduction(view))
for one in view.distributions:
    chart, beside = st.columns([1.9, 1], gap="large")
    with chart:
        draw(sections.heading(one))
        with st.container(key=f"quality-{one.key}"):
            st.plotly_chart(distribution_chart(one), key=f"chart-{one.key}", config={"displayModeBar": False})
    with beside:
        draw(sections.ends(one))
draw(sections.rule(view))
