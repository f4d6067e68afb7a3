"""Latent: its pictures, its figures, and what goes with it."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.beside import stores_beside
from explorer.charts import activation_histogram, histogram_csv
from explorer.directions import isolated
from explorer.grid import draw
from explorer.note_editor import draw_title
from explorer.plots import draw_plot
from explorer.sections import counterparts as counterpart_sections
from explorer.sections import latent as sections
from explorer.sections import latent_gallery, latent_recall, latent_relatives, latent_side
from explorer.sections.findings import in_short
from explorer.sections.parts import add_button
from explorer.stores import current_store
from explorer.views.counterparts import counterparts
from explorer.views.latent import LatentPage, build_latent
from explorer.views.latent_gallery import GalleryQuery
from explorer.views.latent_recall import recalls
from explorer.views.paging import whole_number


def draw_column(view: LatentPage) -> None:
    """The figures; a dead latent has its direction only."""
    if view.histogram is None:
        draw(latent_side.effects(view), latent_relatives.similar(view))
        return
    draw(latent_side.histogram_head(view))
    with st.container(key="histogram"):
        title = f"activations of latent {view.ref.latent}"
        draw_plot(activation_histogram(view.histogram), "activations", title, histogram_csv(view.histogram))
    recalled = latent_recall.recall(recalls(store, view.ref.latent, view.name), view.ref.density)
    draw(latent_side.side(view, recalled))
    others = stores_beside(store)  # last: the first time it takes seconds in a large store
    again = counterparts(store, view.ref.latent, others.stores)
    draw(counterpart_sections.found_again(again, others.problems))


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
    draw(sections.dead(page) if page.ref.dead else "", latent_gallery.gallery(page))
with column:
    draw_column(page)
draw(sections.ending(page))
