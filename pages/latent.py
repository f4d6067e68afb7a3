"""Latent: its pictures, its figures, and what goes with it."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.directions import isolated
from explorer.grid import draw
from explorer.latent_column import draw_column
from explorer.note_editor import draw_title
from explorer.sections import latent as sections
from explorer.sections import latent_gallery
from explorer.sections.findings import in_short
from explorer.sections.latent_relatives import below
from explorer.sections.parts import add_button
from explorer.stores import current_store
from explorer.views.latent import build_latent
from explorer.views.latent_gallery import GalleryQuery
from explorer.views.paging import whole_number

store = current_store()
said = st.query_params.get("latent", "")
number = whole_number(said, default=-1)
if not said:
    draw(sections.which(store.n_latents))
    st.stop()
if not 0 <= number < store.n_latents:
    draw(sections.missing(said, store.n_latents))
    st.stop()
if number in store.hidden.latents:
    draw(sections.withheld(number))
    st.stop()

page = build_latent(store, number, GalleryQuery.from_params(st.query_params.to_dict()))
frame.title(f"#{number} {isolated(page.ref.name or '')}".strip())
draw_title(sections.title_line(page, add_button(number, words=True)), store, number)
draw(in_short(page))
pictures, column = st.columns([2.6, 1], gap="large")
with pictures:
    draw(sections.dead(page) if page.ref.dead else "", latent_gallery.gallery(page), below(page))
with column:
    draw_column(store, page)
draw(sections.ending(page))
