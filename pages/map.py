"""Map: all directions in the plane."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.beside import stores_beside
from explorer.grid import draw
from explorer.sections import map as sections
from explorer.stores import current_store
from explorer.views.map import build_map
from explorer.views.map_query import MapQuery

store = current_store()
view = build_map(store, MapQuery.from_params(st.query_params.to_dict()), stores_beside(store))
frame.title("Map")
if view is None:
    draw(sections.no_map())
    st.stop()

draw(sections.bar(view))
plane, panel = st.columns([3.4, 1], gap="medium")
with plane:
    draw(sections.plane(view), sections.about(view))
with panel:
    draw(sections.panel(view))
