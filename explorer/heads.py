"""Test-time training on the Spans page: asked for by `heads=1` in the address."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from explorer import head_charts, links
from explorer.grid import draw
from explorer.plots import draw_plot
from explorer.sections import heads as sections
from explorer.views.heads import HeadsView, build_heads
from explorer.views.resolved import Resolved
from sae_core import LatentStore
from sae_core.errors import SparsightError

_HEIGHT = 420  # pixels that the answer takes


def draw_heads(store: LatentStore, resolved: Resolved, params: Mapping[str, str]) -> None:
    """The offer, or what came of it."""
    if params.get("heads") != "1":
        draw(sections.offer(links.spans_url({**params, "heads": "1"})))
        return
    try:
        with st.skeleton(height=_HEIGHT):
            view = _answer(store, resolved)
    except SparsightError as error:
        draw(sections.refused(f"{str(error)[:1].upper()}{str(error)[1:]}."))
        return
    draw(sections.answer(view))
    draw_plot(head_charts.heads_chart(view), "heads", f"heads of {resolved.title}", head_charts.heads_csv(view))
    draw(sections.table(view))


def _answer(store: LatentStore, resolved: Resolved) -> HeadsView:
    """Kept for everybody, but of an upload: nothing of it outlives its session."""
    if resolved.selection.kind == "upload":
        return build_heads(store, resolved.centre)
    return _heads(store.version, resolved.centre.tobytes(), store, resolved)


@st.cache_data(max_entries=32, show_spinner=False)
def _heads(version: str, centre: bytes, _store: LatentStore, _resolved: Resolved) -> HeadsView:
    return build_heads(_store, _resolved.centre)
