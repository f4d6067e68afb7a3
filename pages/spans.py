"""Spans: what the strongest directions of pictures hold of them, and how few concepts explain a neighbourhood."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.choices import choose
from explorer.geometry import draw_geometry
from explorer.grid import draw, waiting
from explorer.heads import draw_heads
from explorer.sections import spans as sections
from explorer.sections.compare import how_to_choose, problem
from explorer.sections.parts import left_out
from explorer.sections.texts import cut
from explorer.spans import draw_energy, draw_neighbourhood
from explorer.stores import current_store
from explorer.uploader import uploads_shown
from explorer.views.latent_table import MAX_LABELS
from explorer.views.sides import build_side
from explorer.views.span_examples import build_span_examples
from explorer.views.spans_query import SpansQuery

HEIGHT = 900  # pixels; a first text loads the encoder

store = current_store()
query = SpansQuery.from_params(st.query_params.to_dict())
frame.title("Spans")
with waiting(HEIGHT, slow="text:" in query.of):
    choice = choose(store, query.of)
draw(sections.form(query, store.labels.offered(MAX_LABELS)), left_out(query.left_out), cut(choice.cut))
if choice.resolved is None:
    draw(problem(choice.problem) if choice.problem else "")
    draw(sections.invitation(build_span_examples(store)), how_to_choose())
else:
    frame.title(f"Spans of {choice.resolved.title}")
    draw(sections.chosen(build_side(store, choice.resolved), uploads_shown(store)))
    draw_energy(store, choice.resolved, query)
    draw_neighbourhood(store, choice.resolved, query)
    params = st.query_params.to_dict()
    draw_geometry(store, choice.resolved, params)
    draw_heads(store, choice.resolved, params)
