"""Spans: what the strongest directions of pictures hold of them, and how few concepts explain a neighbourhood."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer import span_charts as charts
from explorer.choices import choose
from explorer.geometry import draw_geometry
from explorer.grid import draw, waiting
from explorer.heads import draw_heads
from explorer.plots import draw_plot
from explorer.sections import spans as sections
from explorer.sections.compare import how_to_choose, problem
from explorer.stores import current_store
from explorer.uploader import kept_upload
from explorer.views.energy import build_energy
from explorer.views.neighbourhood import build_neighbourhood
from explorer.views.resolved import Resolved
from explorer.views.sides import build_side
from explorer.views.span_examples import build_span_examples
from explorer.views.spans_query import SpansQuery
from sae_core import LatentStore

HEIGHT = 900  # pixels; a first text loads the encoder


def draw_energy(store: LatentStore, resolved: Resolved, query: SpansQuery) -> None:
    """How much the strongest directions hold."""
    view = build_energy(store, resolved, query.centred)
    draw(sections.energy_head(view, query))
    if view.curves:
        draw_plot(charts.energy_chart(view), "energy", f"energy of {resolved.title}", charts.energy_csv(view))
        draw(sections.energy_note(view))


def draw_neighbourhood(store: LatentStore, resolved: Resolved, query: SpansQuery) -> None:
    """How few latents are enough."""
    with st.skeleton(height=HEIGHT):
        view = build_neighbourhood(store, resolved, query.n)
    draw(sections.neighbourhood_head(view, query))
    title = f"activation of {resolved.title}"
    draw_plot(charts.mass_chart(view), "mass", title, charts.mass_csv(view))
    draw(sections.neighbourhood_table(view), sections.concepts(view))


store = current_store()
query = SpansQuery.from_params(st.query_params.to_dict())
frame.title("Spans")
with waiting(HEIGHT, slow="text:" in query.of):
    choice = choose(store, query.of)
draw(sections.form(query, store.labels.titles))
if choice.resolved is None:
    draw(problem(choice.problem) if choice.problem else "")
    draw(sections.invitation(build_span_examples(store)), how_to_choose())
else:
    frame.title(f"Spans of {choice.resolved.title}")
    upload = kept_upload(store)
    draw(sections.chosen(build_side(store, choice.resolved), upload.data_uri if upload else None))
    draw_energy(store, choice.resolved, query)
    draw_neighbourhood(store, choice.resolved, query)
    draw_geometry(store, choice.resolved, st.query_params.to_dict())
    draw_heads(store, choice.resolved, st.query_params.to_dict())
