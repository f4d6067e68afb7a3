"""The drop zone of Inspect."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.grid import draw
from explorer.models import encoder
from explorer.sections.inspection import refused
from explorer.uploads import MAX_MEGABYTES, TYPES, Upload, encode_upload
from sae_core import LatentStore
from sae_core.errors import SparsightError

_KEPT = "upload"  # session state: the last upload as it was taken
_FILE = "upload-file"
CODE_HEIGHT = 560  # pixels that a sparse code usually takes


@dataclass(frozen=True, eq=False)
class _Taken:
    """What became of a file: an upload, or the sentence that says why there is none."""

    key: tuple[str, str]  # store version, Streamlit's id of the file
    upload: Upload | None
    refusal: str


def draw_uploader(store: LatentStore, result: DeltaGenerator) -> Upload | None:
    """The visitor's latest picture, encoded by the store's encoder; None where there is none or it was refused.

    While it is encoded (the first time, the encoder is loaded too), a skeleton stands in `result`.
    """
    file = st.file_uploader(
        "A picture of your own (drop or paste it; it is not stored)",
        type=TYPES,
        max_upload_size=MAX_MEGABYTES,
        key=_FILE,
        on_change=_leave_the_store,
    )
    kept: _Taken | None = st.session_state.get(_KEPT)
    if file is None:  # nothing chosen yet, or back from another page, where Streamlit forgot the file
        return kept.upload if kept and kept.key[0] == store.version else None
    key = (store.version, file.file_id)
    if kept is None or kept.key != key:
        with result, st.skeleton(height=CODE_HEIGHT):
            kept = st.session_state[_KEPT] = _take(store, key, file.name, file.getvalue())
    if kept.refusal:
        draw(refused(kept.refusal))
    return kept.upload


def kept_upload(store: LatentStore) -> Upload | None:
    """The upload of this session, for pages without a drop zone; None where there is none for this store."""
    kept: _Taken | None = st.session_state.get(_KEPT)
    return kept.upload if kept and kept.key[0] == store.version else None


def _leave_the_store() -> None:
    """A new file is what the visitor wants to see, not the store's picture that the address names."""
    st.session_state.pop(_KEPT, None)
    if st.session_state.get(_FILE) is not None and "image" in st.query_params:
        del st.query_params["image"]


def _take(store: LatentStore, key: tuple[str, str], name: str, data: bytes) -> _Taken:
    try:
        return _Taken(key, encode_upload(lambda: encoder(store), name, data), "")
    except SparsightError as error:
        return _Taken(key, None, f"{name}: {error}.")
