"""The two questions of the Spans page that every choice is asked."""

from __future__ import annotations

import streamlit as st

from explorer import span_charts as charts
from explorer.grid import draw
from explorer.plots import draw_plot
from explorer.sections import spans as sections
from explorer.views.energy import build_energy
from explorer.views.neighbourhood import build_neighbourhood
from explorer.views.resolved import Resolved
from explorer.views.spans_query import SpansQuery
from sae_core import LatentStore

_HEIGHT = 900  # pixels that a neighbourhood takes


def draw_energy(store: LatentStore, resolved: Resolved, query: SpansQuery) -> None:
    """How much the strongest directions hold."""
    view = build_energy(store, resolved, query.centred)
    draw(sections.energy_head(view, query))
    if view.curves:
        draw_plot(charts.energy_chart(view), "energy", f"energy of {resolved.title}", charts.energy_csv(view))
        draw(sections.energy_note(view))


def draw_neighbourhood(store: LatentStore, resolved: Resolved, query: SpansQuery) -> None:
    """How few latents are enough."""
    with st.skeleton(height=_HEIGHT):
        view = build_neighbourhood(store, resolved, query.n)
    draw(sections.neighbourhood_head(view, query))
    title = f"activation of {resolved.title}"
    draw_plot(charts.mass_chart(view), "mass", title, charts.mass_csv(view))
    draw(sections.neighbourhood_table(view), sections.concepts(view))
