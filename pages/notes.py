"""Notes: every latent that people named or noted; export and import."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.grid import draw
from explorer.note_import import draw_import
from explorer.sections import notes as sections
from explorer.stores import current_store
from explorer.views.notes import build_notes
from explorer.views.paging import whole_number

store = current_store()
view = build_notes(store, whole_number(st.query_params.get("page"), default=1))
frame.title("Notes")
draw(sections.overview(view))
if view.problem:
    draw(sections.problem(view.problem))
else:
    draw(sections.noted_latents(view))
    if not view.read_only:
        draw_import(store)
