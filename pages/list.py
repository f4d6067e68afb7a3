"""List: latents that somebody collected, as the address says."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.directions import isolated
from explorer.grid import draw
from explorer.sections import collection as sections
from explorer.stores import current_store
from explorer.views.collection import ListQuery, build_list
from explorer.views.repeated import joined

view = build_list(current_store(), ListQuery.from_params(joined(st.query_params, "latents")))
frame.title(isolated(view.query.title) or "List")
draw(sections.title_line(view), sections.remarks(view))
draw(sections.rows(view) if view.rows else sections.empty(), sections.more())
