"""The drop zone of Inspect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.grid import draw
from explorer.models import encoder_in_turn, sae
from explorer.sections.inspection import camera_link, refused
from explorer.uploads import MAX_MEGABYTES, TYPES, Upload, encode_upload
from explorer.views.inspect_query import InspectQuery
from explorer.views.selection import BEFORE
from sae_core import LatentStore
from sae_core.errors import SparsightError

_KEPT = "upload"  # session state: the last upload as it was taken
_BEFORE = "upload-before"  # the one before it
_FILE, _PHOTO = "upload-file", "upload-photo"
_REFUSAL = "upload-refusal"  # session state: why the last file was refused, until it is said
_ROUND = "upload-round"  # session state: how many files were refused
_CAMERA = "camera"  # parameter of the address
_OF_ONE_PICTURE = ("image", "edit", "add", "to", "where", "method", "deletion")
CODE_HEIGHT = 560  # pixels that a sparse code usually takes


@dataclass(frozen=True, eq=False)
class _Taken:
    """What became of a file: an upload, or the sentence that says why there is none."""

    key: tuple[str, str]  # store version, Streamlit's id of the file
    upload: Upload | None
    refusal: str


def draw_uploader(store: LatentStore, query: InspectQuery, result: DeltaGenerator) -> Upload | None:
    """The visitor's latest picture, encoded by the store's encoder; None where there is none or it was refused.

    While it is encoded (the first time, the encoder is loaded too), a skeleton stands at the top of `result`.
    """
    place = result.container()  # in every run: what follows it would else be drawn twice until the next one ends
    file = _file(query)
    kept: _Taken | None = st.session_state.get(_KEPT)
    if refusal := st.session_state.pop(_REFUSAL, ""):
        draw(refused(refusal))
    if file is None:  # nothing chosen yet, or back from another page, where Streamlit forgot the file
        return kept.upload if kept and kept.key[0] == store.version else None
    key = (store.version, file.file_id)
    if kept is None or kept.key != key:
        with place, st.skeleton(height=CODE_HEIGHT):
            kept = st.session_state[_KEPT] = _take(store, key, file.name, file.getvalue())
    if kept.refusal:
        _begin_anew(kept.refusal)
    return kept.upload


def _file(query: InspectQuery) -> UploadedFile | None:
    """Dropped, pasted or, once the visitor asks for the camera, taken; the last of these."""
    file, photo = (f"{name}-{st.session_state.get(_ROUND, 0)}" for name in (_FILE, _PHOTO))
    chosen: UploadedFile | None = st.file_uploader(
        "A picture of your own (drop or paste it; it is not stored)",
        type=TYPES,
        max_upload_size=MAX_MEGABYTES,
        key=file,
        on_change=_leave_the_store,
        args=(file,),
    )
    asked = query.others.get(_CAMERA) == "1"
    draw(camera_link(query, asked))
    if not asked:
        return chosen
    # Only now does the browser ask whether the page may see.
    taken: UploadedFile | None = st.camera_input(
        "A photograph (it is not stored)", key=photo, on_change=_leave_the_store, args=(photo,)
    )
    return taken or chosen


def kept_upload(store: LatentStore, before: bool = False) -> Upload | None:
    """The last upload of this session, or the one `before` it; None where there is none for this store."""
    kept: _Taken | None = st.session_state.get(_BEFORE if before else _KEPT)
    return kept.upload if kept and kept.key[0] == store.version else None


def uploads_shown(store: LatentStore) -> dict[str, str]:
    """Data URIs of both, by how addresses write them."""
    both = {"upload": kept_upload(store), f"upload:{BEFORE}": kept_upload(store, before=True)}
    return {said: upload.data_uri for said, upload in both.items() if upload}


def _begin_anew(refusal: str) -> NoReturn:
    """Says why in an empty drop zone: in the old one the file's name would stay, beside whatever is looked at next."""
    st.session_state.pop(_KEPT, None)
    st.session_state[_REFUSAL] = refusal
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    st.rerun()


def _leave_the_store(widget: str) -> None:
    """A new file is what the visitor wants to see, not what the address says of another picture.

    Where the address is of an upload that this session does not have, as after a reload, the file is taken for that.
    A photograph never is: it is a new picture. Where one takes another's place, Streamlit takes the first away before.
    """
    kept: _Taken | None = st.session_state.pop(_KEPT, None)
    if kept and kept.upload:
        st.session_state[_BEFORE] = kept
    awaited = kept is None and "image" not in st.query_params and not widget.startswith(_PHOTO)
    if st.session_state.get(widget) is not None and not awaited:
        for name in _OF_ONE_PICTURE:
            st.query_params.pop(name, None)


def _encoded(store: LatentStore, name: str, data: bytes) -> Upload:
    return encode_upload(store.manifest.encoder.preprocessing, lambda: encoder_in_turn(store), name, data)


def _take(store: LatentStore, key: tuple[str, str], name: str, data: bytes) -> _Taken:
    try:
        sae(store)  # raises MismatchError where it is not the one that made the store's codes
        return _Taken(key, _encoded(store, name, data), "")
    except SparsightError as error:
        return _Taken(key, None, f"{name}: {error}.")
