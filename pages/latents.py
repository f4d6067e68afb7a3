"""Latents: the grid of cards, filtered, ranked and sorted as the address says."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.beside import stores_beside
from explorer.grid import draw, waiting
from explorer.models import cut_texts, embed_texts, why_no_texts
from explorer.sections import latents as sections
from explorer.sections.latents_filter import filter_bar
from explorer.sections.pager import pager
from explorer.sections.texts import cut, no_meaning
from explorer.stores import current_store
from explorer.views.by_meaning import build_by_meaning
from explorer.views.latents import build_latents
from explorer.views.latents_query import LatentsQuery
from explorer.views.repeated import joined

CARDS_HEIGHT = 900  # pixels; of the first rows
MEANT_HEIGHT = 480  # of three cards

store = current_store()
query = LatentsQuery.from_params(joined(st.query_params, "latents"))
frame.title("Latents")
beside = stores_beside(store) if query.again else None
with waiting(CARDS_HEIGHT, slow=bool(query.text or query.again)):  # the first text loads the encoder
    view = build_latents(store, query, lambda texts: embed_texts(store, texts), why_no_texts(store), beside)

draw(filter_bar(view), cut(cut_texts(store, [query.text])), sections.summary(view))
if view.found:
    draw(sections.cards(view), pager(view.paging, "latents"))
else:
    draw(sections.nothing(view))
    if view.by_meaning:
        with waiting(MEANT_HEIGHT):  # the page is there meanwhile
            meant = build_by_meaning(store, query, lambda texts: embed_texts(store, texts))
        draw(sections.by_meaning(meant) if meant else no_meaning(why_no_texts(store)))
