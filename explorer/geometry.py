"""The geometry of a choice on the Spans page: planes of its concepts, labels by concept, angles to another span."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from explorer import geometry_charts as charts
from explorer import label_charts
from explorer.angles import draw_angles
from explorer.choices import choose
from explorer.grid import draw
from explorer.plots import draw_plot
from explorer.sections import geometry as sections
from explorer.sections.texts import cut
from explorer.views.angles import build_angles
from explorer.views.geometry import Geometry, build_geometry
from explorer.views.geometry_query import GeometryQuery
from explorer.views.label_concepts import build_label_concepts
from explorer.views.latent_table import MAX_LABELS
from explorer.views.resolved import Resolved
from explorer.views.sides import span_latents
from sae_core import LatentStore

_HEIGHT, _SMALL_HEIGHT = 560, 460  # pixels of one plane alone, of one of three


def draw_geometry(store: LatentStore, resolved: Resolved, params: Mapping[str, str]) -> None:
    """All three sections; `params` is the whole address, of which `axes`, `origin` and `with` are read."""
    query = GeometryQuery.from_params(params)
    view = build_geometry(store, resolved, query)
    draw(sections.geometry_head(view))
    _draw_planes(view, resolved.title)
    _draw_labels(store, resolved)
    _draw_other(store, resolved, query)


def _draw_planes(view: Geometry, title: str) -> None:
    """One plane with the cosines beside it, or three with the cosines below."""
    if not view.planes:
        draw(sections.cosines(view))
        return
    alone = len(view.planes) == 1
    columns = st.columns([1.9, 1] if alone else 3, gap="large" if alone else "small")
    for column, (first, second) in zip(columns, view.planes, strict=False):
        with column:
            chart = charts.plane_chart(view, first, second, _HEIGHT if alone else _SMALL_HEIGHT)
            draw_plot(
                chart,
                f"pictures-{first}{second}",
                f"plane {first + 1} {second + 1} of {title}",
                charts.points_csv(view),
            )
    if alone:
        with columns[1]:
            draw(sections.cosines(view))
    else:
        draw(sections.cosines(view))


def _draw_labels(store: LatentStore, resolved: Resolved) -> None:
    view = build_label_concepts(store, resolved)
    draw(sections.heat_head(view is not None, bool(store.labels.names)))
    if view:
        draw_plot(
            label_charts.label_heat_map(view), "labels", f"labels of {resolved.title}", label_charts.label_csv(view)
        )


def _draw_other(store: LatentStore, resolved: Resolved, query: GeometryQuery) -> None:
    """Principal angles to the span of a second choice."""
    other = choose(store, query.other)
    said = other.said
    draw(sections.other_form(query.kept("with"), said, store.labels.offered(MAX_LABELS), other.problem), cut(other.cut))
    if other.resolved:
        angles = build_angles(store, span_latents(resolved), span_latents(other.resolved))
        draw_angles(angles, "other-angles", f"angles of {resolved.title} and {other.resolved.title}")
        draw(sections.compare_link(resolved.selection.said, said))
