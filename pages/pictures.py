"""Pictures: by what is active in them and what is said of them, as the address says."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.grid import draw, waiting
from explorer.models import cut_texts, embed_texts, why_no_texts
from explorer.sections import pictures as sections
from explorer.sections.pictures_examples import invitation, without_text
from explorer.sections.pictures_form import form
from explorer.sections.texts import cut
from explorer.stores import current_store
from explorer.views.pictures import build_pictures
from explorer.views.pictures_query import FIELDS, PicturesQuery
from explorer.views.repeated import joined

TILES_HEIGHT = 900  # pixels; of the first rows

store = current_store()
query = PicturesQuery.from_params(joined(st.query_params, *FIELDS))
frame.title("Pictures")
with waiting(TILES_HEIGHT, slow=bool(query.text)):  # the first text loads the encoder
    view = build_pictures(store, query, lambda texts: embed_texts(store, texts), why_no_texts(store))

draw(form(view), cut(cut_texts(store, [query.text])), sections.conditions(view))
if view.problem:
    draw(sections.problem(view), without_text(view))
elif view.tiles:
    draw(sections.summary(view), sections.pictures(view))
elif query.latents or query.names_pictures:
    draw(sections.summary(view), sections.nothing(view))
else:
    draw(invitation(view))
