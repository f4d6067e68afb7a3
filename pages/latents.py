"""Latents: the grid of cards, filtered and sorted as the address says."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.grid import draw
from explorer.sections import latents as sections
from explorer.sections.pager import pager
from explorer.sections.parts import latent_cards
from explorer.stores import current_store
from explorer.views.latents import LatentsQuery, build_latents

query = LatentsQuery.from_params(st.query_params.to_dict())
view = build_latents(current_store(), query)
frame.title("Latents")

draw(sections.filter_bar(view), sections.summary(view))
if view.cards:
    draw(latent_cards(view.cards), pager(view.paging, "latents"))
else:
    draw(sections.nothing(query, view.n_latents))
