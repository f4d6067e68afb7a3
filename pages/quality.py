"""Quality: the SAE's own report card."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.beside import stores_beside
from explorer.grid import draw
from explorer.plots import draw_plot
from explorer.quality_charts import distribution_chart, distribution_csv
from explorer.sections import duplicates, other_saes
from explorer.sections import quality as sections
from explorer.sections.controls import comparison
from explorer.stores import current_store
from explorer.views.distributions import Distribution
from explorer.views.other_saes import other_saes as build_other_saes
from explorer.views.quality import build_quality


def _chart(one: Distribution) -> None:
    draw(sections.heading(one))
    with st.container(key=f"quality-{one.key}"):
        draw_plot(distribution_chart(one), f"chart-{one.key}", f"{one.key} of all latents", distribution_csv(one))


store = current_store()
view, others = build_quality(store), stores_beside(store)
frame.title("Quality")
draw(sections.introduction(view))
if view.controls:
    draw(comparison(view.controls))
if view.duplicates:
    chart, beside = st.columns([1.9, 1], gap="large")
    with chart:
        _chart(view.duplicates.chart)
    with beside:
        draw(duplicates.overlap(view.duplicates))
    draw(duplicates.pairs(view.duplicates))
draw(other_saes.problems(others.problems))
for other in build_other_saes(store, others):
    chart, by_pictures = st.columns([1.9, 1], gap="large")
    with chart:
        _chart(other.chart)
    with by_pictures:
        draw(other_saes.by_pictures(other))
for one in view.distributions:
    chart, beside = st.columns([1.9, 1], gap="large")
    with chart:
        _chart(one)
    with beside:
        draw(sections.ends(one, view.rule))
