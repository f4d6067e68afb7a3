"""The heat map on Inspect: computed while the visitor watches, and stopped when the visitor leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import streamlit as st

from explorer.deletion_charts import deletion_csv, deletion_figure
from explorer.grid import draw
from explorer.models import encoder, sae
from explorer.plots import draw_plot
from explorer.recent import RecentArrays
from explorer.sections import where as sections
from explorer.turns import TurnsByKey
from explorer.views.heat_maps import HeatMaps, Progress
from explorer.views.inspection import Source, kept_code
from explorer.views.where import WhereView, build_where, choices
from explorer.views.where_query import WhereQuery, read_where
from explorer.waiting import encoder_turn, told_here
from explorer.where_charts import heat_map, heat_map_csv, picture_uri
from sae_core import LatentStore
from sae_core.errors import SparsightError
from sae_core.store.records import SparseCode

UPLOAD_KEPT = "where-upload"  # session state: embeddings of a visitor's picture, its parts hidden
_STORE_PICTURES = RecentArrays(max_bytes=64 << 20)  # 0.4 MB a picture with 512 dimensions
_UPLOAD_BYTES = 8 << 20
_COMPUTING = TurnsByKey()


def draw_where(store: LatentStore, source: Source) -> None:
    """The section that answers `where=LATENT`; without it, the latents to choose from.

    It may take seconds: call it last, inside the container where it belongs, so that nothing waits for it.
    """
    query = read_where(st.query_params.to_dict())
    refs = choices(store, _active(store, source))
    with st.container(key="where"):
        draw(sections.heading(query, open_now=bool(query.said)))
        if source.image_id is not None and not store.has_thumbnails:
            draw(sections.no_pictures())
        elif not query.said:
            draw(sections.offer(query, refs))
        elif not 0 <= query.latent < store.n_latents:
            draw(sections.unknown(query, store.n_latents))
        elif view := _computed(store, source, query):
            _draw_map(store, view, sections.beside(view, store.k, refs))


def _active(store: LatentStore, source: Source) -> SparseCode:
    kept = kept_code(store, source)
    return SparseCode(kept.latents[kept.activations > 0], kept.activations[kept.activations > 0])


def _computed(store: LatentStore, source: Source, query: WhereQuery) -> WhereView | None:
    """None, after a sentence, where the encoder cannot be had or the picture cannot be read."""
    try:
        with _told(query) as progress:
            clip = encoder(store)
            pixels = clip.preprocessing.crop_pixels(source.picture())
            kept, key = _place(store, source, pixels)
            # Of an upload nobody is told that somebody else has the same.
            alone = nullcontext if source.image_id is None else _alone
            maps = HeatMaps(clip, sae(store), pixels, kept, key, progress, encoder_turn, alone)
            return build_where(store, source, query, maps)
    except SparsightError as error:
        draw(sections.refused(str(error)))
        return None


@contextmanager
def _alone(key: Hashable) -> Iterator[None]:
    """While nobody else computes the same; who comes second is told, and finds it done."""
    with told_here(sections.SAME_MAP) as told, _COMPUTING.turn(key, told):
        yield


def _place(store: LatentStore, source: Source, pixels: np.ndarray) -> tuple[RecentArrays, tuple[str, object]]:
    """Where to keep what was computed: for everybody, or for this session where the picture is a visitor's own."""
    if source.image_id is not None:
        return _STORE_PICTURES, (store.version, source.image_id)
    kept: RecentArrays = st.session_state.setdefault(UPLOAD_KEPT, RecentArrays(_UPLOAD_BYTES))
    return kept, (store.version, hashlib.sha256(pixels.tobytes()).hexdigest())


@contextmanager
def _told(query: WhereQuery) -> Iterator[Progress]:
    """Progress with a way to cancel, gone when all is done.

    Every update of the bar is also where Streamlit ends the script of a visitor who went elsewhere.
    """
    place = st.empty()
    bar = None

    def progress(what: str, share: float) -> None:
        nonlocal bar
        if bar is None:
            with place.container(key="where-progress"):
                bar = st.progress(0.0)
                draw(sections.progress(query))
        bar.progress(min(share, 1.0), f"{what}: {share:.0%}")

    yield progress
    place.empty()


def _draw_map(store: LatentStore, view: WhereView, beside: str) -> None:
    picture, heat, words = st.columns([1, 1, 1], gap="medium")
    with picture:
        draw(sections.picture(picture_uri(view.pixels)))
    with heat:
        draw_plot(heat_map(view), "where", f"where latent {view.ref.latent} {view.query.method}", heat_map_csv(view))
    with words:
        draw(beside)
    if view.deletion is not None:
        said, curves = st.columns([1, 2], gap="medium")
        with said:
            draw(sections.deletion(view.deletion))
        with curves:
            title = f"deletion test of latent {view.ref.latent}"
            draw_plot(deletion_figure(view.deletion), "deletion", title, deletion_csv(view.deletion))
