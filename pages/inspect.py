"""Inspect: a picture of the store or one's own, its sparse code and what resembles it."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.grid import draw
from explorer.models import sae
from explorer.sections import inspection as sections
from explorer.stores import current_store
from explorer.uploader import CODE_HEIGHT, draw_uploader
from explorer.views.home import spread
from explorer.views.inspection import another_picture, build_inspection, build_store_picture
from explorer.views.paging import whole_number

store = current_store()
said = st.query_params.get("image")
number = None if said is None else whole_number(said, default=-1)
frame.title("Inspect")
left, right = st.columns([1, 2.2], gap="large")
with left:
    upload = draw_uploader(store, right)

if number is None and upload is None:
    embedding = None
    with right:
        draw(sections.invitation(spread(store)))
elif number is None and upload is not None:
    embedding = upload.embedding
    with left:
        draw(sections.uploaded_picture(upload, another_picture(store.n_images, len(upload.name))))
elif number is not None and 0 <= number < store.n_images:
    embedding = store.embedding(number)
    picture = build_store_picture(store, number)
    frame.title(picture.tile.caption)
    with left:
        draw(sections.store_picture(picture))
else:
    embedding = None
    with right:
        draw(sections.missing(said or "", store.n_images))

if embedding is not None:
    with right, st.skeleton(height=CODE_HEIGHT):
        view = build_inspection(store, sae(store), embedding, number)
    with right:
        draw(sections.reconstruction(view), sections.code(view))
    draw(sections.nearest(view))
