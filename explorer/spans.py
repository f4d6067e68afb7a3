"""The two questions of the Spans page that every choice is asked."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer import span_charts as charts
from explorer.grid import draw
from explorer.plots import draw_plot
from explorer.sections import neighbourhood as neighbourhood_sections
from explorer.sections import spans as sections
from explorer.views.energy import Energy, build_energy
from explorer.views.few_latents import SetRow, measure_set
from explorer.views.neighbourhood import build_neighbourhood
from explorer.views.resolved import Resolved
from explorer.views.spans_query import SpansQuery
from sae_core import LatentStore

_ENERGY_HEIGHT, _HEIGHT = 540, 950  # pixels that the sections take


def draw_energy(store: LatentStore, resolved: Resolved, query: SpansQuery) -> None:
    """How much the strongest directions hold."""
    with st.skeleton(height=_ENERGY_HEIGHT):
        if _is_upload(resolved):
            view = build_energy(store, resolved, query.centred, query.seed)
        else:
            view = _energy(store.version, resolved.selection.said, query.centred, query.seed, store, resolved)
    view = view.at(query.j)
    draw(sections.energy_head(view, query))
    if view.curves:
        draw_plot(charts.energy_chart(view), "energy", f"energy of {resolved.title}", charts.energy_csv(view))
        draw(sections.energy_note(view, query))


def draw_neighbourhood(store: LatentStore, resolved: Resolved, query: SpansQuery) -> None:
    """How few latents are enough."""
    measure = measure_set if _is_upload(resolved) else _remembered
    with st.skeleton(height=_HEIGHT):
        view = build_neighbourhood(store, resolved, query.n, query.seed, measure)
    draw(neighbourhood_sections.neighbourhood_head(view, query))
    title = f"activation of {resolved.title}"
    draw_plot(charts.mass_chart(view), "mass", title, charts.mass_csv(view))
    draw(neighbourhood_sections.neighbourhood_table(view), neighbourhood_sections.concepts(view))


def _is_upload(resolved: Resolved) -> bool:
    """Nothing of an upload is kept beyond its session, not even figures."""
    return resolved.selection.kind == "upload"


def _remembered(store: LatentStore, name: str, ids: np.ndarray) -> SetRow:
    return _measured(store.version, name, ids, store)


@st.cache_data(max_entries=512, show_spinner=False)
def _measured(version: str, name: str, ids: np.ndarray, _store: LatentStore) -> SetRow:
    return measure_set(_store, name, ids)


@st.cache_data(max_entries=96, show_spinner=False)
def _energy(version: str, said: str, centred: bool, seed: int, _store: LatentStore, _resolved: Resolved) -> Energy:
    return build_energy(_store, _resolved, centred, seed)
