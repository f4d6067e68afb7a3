"""The narrow column beside a latent's pictures."""

from __future__ import annotations

import streamlit as st

from explorer.again import draw_counterparts
from explorer.charts import activation_histogram, histogram_csv
from explorer.grid import draw
from explorer.plots import draw_plot
from explorer.sections import latent_recall, latent_relatives, latent_side
from explorer.views.latent import LatentPage
from explorer.views.latent_recall import recalls
from sae_core import LatentStore


def draw_column(store: LatentStore, view: LatentPage) -> None:
    """The figures; a dead latent has its direction only."""
    if view.histogram is None:
        draw(latent_side.effects(view), latent_relatives.similar(view))
        return
    draw(latent_side.histogram_head(view))
    with st.container(key="histogram"):
        title = f"activations of latent {view.ref.latent}"
        draw_plot(activation_histogram(view.histogram), "activations", title, histogram_csv(view.histogram))
    recalled = latent_recall.recall(recalls(store, view.ref.latent, view.name), view.ref.density)
    draw(latent_side.side(view, recalled))
    draw_counterparts(store, view.ref.latent)
