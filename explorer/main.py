"""The frame that Streamlit runs on every interaction; the pages are in pages/."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer import frame
from explorer.login import gate
from explorer.stores import current_store
from sae_core.errors import SparsightError, StoreError

PAGES = Path(__file__).resolve().parents[1] / "pages"


def main() -> None:
    """Draws the frame, then the page that the address names."""
    frame.begin()
    page = st.navigation(
        [
            st.Page(PAGES / "home.py", title="Sparsight", default=True),
            st.Page(PAGES / "latents.py", title="Latents", url_path="latents"),
            st.Page(PAGES / "map.py", title="Map", url_path="map"),
            st.Page(PAGES / "latent.py", title="Latent", url_path="latent"),
            st.Page(PAGES / "pictures.py", title="Pictures", url_path="pictures"),
            st.Page(PAGES / "inspect.py", title="Inspect", url_path="inspect"),
            st.Page(PAGES / "compare.py", title="Compare", url_path="compare"),
            st.Page(PAGES / "spans.py", title="Spans", url_path="spans"),
            st.Page(PAGES / "list.py", title="List", url_path="list"),
            st.Page(PAGES / "notes.py", title="Notes", url_path="notes"),
            st.Page(PAGES / "quality.py", title="Quality", url_path="quality"),
        ],
        position="hidden",
    )
    if not gate():
        return
    try:
        store = current_store()
    except SparsightError as error:
        frame.header(page.url_path, None)
        frame.failure(error)
        return
    frame.header(page.url_path, store)
    try:
        page.run()
    except SparsightError as error:  # a part that is only read when it is needed, and turns out broken
        frame.failure(error)
    except OSError as error:  # the disk
        said = f"the store at {store.path} cannot be read: {error.strerror or error}"
        frame.failure(StoreError(said, hint="look at the disk, or name another store in SPARSIGHT_STORE"))


main()
