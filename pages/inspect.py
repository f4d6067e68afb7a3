"""Inspect: a picture of the store or one's own, why CLIP sees it as it does, and what an edited code would be."""

from __future__ import annotations

import streamlit as st

from explorer import frame
from explorer.directions import isolated
from explorer.grid import draw
from explorer.inspecting import draw_inspection
from explorer.sections import inspection as sections
from explorer.stores import current_store
from explorer.uploader import draw_uploader, kept_upload
from explorer.uploads import upload_source
from explorer.views.home import spread
from explorer.views.inspect_query import read_inspect
from explorer.views.inspection import another_picture, build_store_picture, store_source
from explorer.views.paging import whole_number
from explorer.views.tiles import first_shown

store = current_store()
query = read_inspect(store, st.query_params.to_dict())
said = st.query_params.get("image")
number = None if said is None else whole_number(said, default=-1)
frame.title("Inspect")
left, right = st.columns([1, 2.2], gap="large")
with left.container():  # one element, so that the picture below stays where it is while the camera comes and goes
    upload = draw_uploader(store, query, right)

source = None
if number is not None and 0 <= number < store.n_images and store.is_hidden(number):
    with right:
        draw(sections.withheld(number, first_shown(store, another_picture(store.n_images, number))))
elif number is not None and 0 <= number < store.n_images:
    source = store_source(store, number)
    picture = build_store_picture(store, number)
    frame.title(isolated(picture.tile.caption))
    with left:
        draw(sections.store_picture(picture, query))
elif number is not None:
    with right:
        draw(sections.missing(said or "", store.n_images))
elif upload is not None:
    source = upload_source(upload)
    with left:
        another = another_picture(store.n_images, len(upload.name))
        draw(sections.uploaded_picture(upload, another, kept_upload(store, before=True)))
else:
    with right:
        draw(
            sections.no_upload() if query.of_a_picture else "",
            sections.invitation(spread(store), lead=not query.of_a_picture),
        )

if source is not None:
    draw_inspection(store, source, query, right)
