"""Latent: its complete gallery, its figures and what it resembles."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.charts import activation_histogram
from explorer.grid import draw
from explorer.sections import latent as sections
from explorer.stores import current_store
from explorer.views.latent import LatentPage, build_latent
from explorer.views.paging import whole_number


def draw_alive(view: LatentPage) -> None:
    """The gallery, and beside it a narrow column."""
    gallery, side = st.columns([2.6, 1], gap="large")
    with gallery:
        draw(sections.gallery(view))
    with side:
        draw(sections.histogram_head(view))
        if view.histogram is not None:
            with st.container(key="histogram"):
                figure = activation_histogram(view.histogram)
                st.plotly_chart(figure, key="activations", config={"displayModeBar": False})
        draw(sections.side(view))


store = current_store()
said = st.query_params.get("latent", "0")
number = whole_number(said, default=-1)
if not 0 <= number < store.n_latents:
    draw(sections.missing(said, store.n_latents))
    st.stop()

page = build_latent(store, number, whole_number(st.query_params.get("page"), default=1))
frame.title(f"#{number} {page.ref.name or ''}".strip())
draw(sections.title_line(page))
if page.ref.dead:
    draw(sections.dead(page), sections.similar(page))
else:
    draw_alive(page)
draw(sections.ending(page))
