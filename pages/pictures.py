"""Pictures: those in which latents are active together, as the address says."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.grid import draw
from explorer.sections import pictures as sections
from explorer.stores import current_store
from explorer.views.pictures import build_pictures
from explorer.views.pictures_query import PicturesQuery

view = build_pictures(current_store(), PicturesQuery.from_params(st.query_params.to_dict()))
frame.title("Pictures")

draw(sections.form(view), sections.conditions(view))
if view.problem:
    draw(sections.problem(view))
elif view.tiles:
    draw(sections.summary(view), sections.pictures(view))
elif view.query.latents:
    draw(sections.summary(view), sections.nothing(view))
else:
    draw(sections.invitation(view))
