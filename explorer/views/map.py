"""The map: all directions in two dimensions, coloured by a figure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from explorer import links, notes
from explorer.beside import Beside
from explorer.views import map_again
from explorer.views.address_values import Region
from explorer.views.collection import MAX_LATENTS
from explorer.views.latent_table import latent_table
from explorer.views.latents_query import LatentsQuery
from explorer.views.map_colors import Groups, Scale
from explorer.views.map_points import group_places, places
from explorer.views.map_query import AGAIN, COLORS, MapQuery
from explorer.views.map_rows import Row, build_rows
from explorer.views.parts import LatentCard, latent_card
from sae_core import LatentStore

LISTED = 60  # latents that the panel lists
_NEAR = 12
_WINDOW = 0.16  # of the map's width, on each side of the latent in the middle


@dataclass(frozen=True)
class Near:
    """A latent of a similar direction."""

    row: Row
    cosine: float
    href: str  # the map with it in the middle


@dataclass(frozen=True)
class Chosen:
    """The latent in the middle."""

    card: LatentCard
    near: tuple[Near, ...]  # most similar first
    without: str  # the map without it


@dataclass(frozen=True)
class Matched:
    """Latents that the words find."""

    n: int
    rows: tuple[Row, ...]  # the first LISTED
    grid: str  # all of them, as cards
    listed: str  # as a list, which holds MAX_LATENTS
    without: str  # the map without the words


@dataclass(frozen=True, eq=False)
class MapPage:
    """All points, and what is marked among them."""

    query: MapQuery
    version: str
    places: np.ndarray  # float32 [n_latents, 2]
    colors: dict[str, str]  # the menu: figures that this store has
    color: Scale | Groups | None  # None: no latent has the figure
    color_definition: str
    words: tuple[tuple[str, float, float], ...]  # written on the map: a text and its place
    marked: np.ndarray  # latents that the words find
    matched: Matched | None
    chosen: Chosen | None
    around: Region | None  # the part to show where the address says none; None: everything
    problem: str | None  # a sentence


def build_map(store: LatentStore, query: MapQuery, beside: Beside | None = None) -> MapPage | None:
    """Everything the page shows; None where the store has no map."""
    plane = places(store)
    if plane is None:
        return None
    beside = beside or Beside()
    problem = _problem(store, query.latent)
    marked = _marked(store, query.q)
    color = map_again.coloring(store, query.color, beside)
    chosen = None if query.latent is None or problem else _chosen(store, query, query.latent)
    return MapPage(
        query=query,
        version=store.version,
        places=plane,
        colors=_menu(store) | map_again.menu(beside),
        color=color,
        words=group_places(plane, color) if isinstance(color, Groups) else (),
        color_definition=map_again.definition(store, query.color, beside),
        marked=marked,
        matched=_matched(store, query, marked) if query.q else None,
        chosen=chosen,
        around=_around(plane, chosen.card.ref.latent) if chosen else None,
        problem=problem or _no_such_sae(query.color, beside),
    )


def _menu(store: LatentStore) -> dict[str, str]:
    return {key: name for key, (name, column) in COLORS.items() if store.latents[column].notna().any()}


def _no_such_sae(color: str, beside: Beside) -> str | None:
    if not color.startswith(AGAIN) or map_again.other_of(color, beside):
        return None
    return f"No store beside this one has the SAE {color.removeprefix(AGAIN)}; SPARSIGHT_BESIDE names such stores."


def _problem(store: LatentStore, latent: int | None) -> str | None:
    """Why a latent cannot be shown, in a sentence."""
    if latent is not None and latent >= store.n_latents:
        return f"There is no latent {latent}; this store has 0 … {store.n_latents - 1:,}."
    return f"Latent {latent} is withheld by those who share this store." if latent in store.hidden.latents else None


def _marked(store: LatentStore, words: str) -> np.ndarray:
    if not words:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(latent_table(store).mask(LatentsQuery(q=words), notes.texts(store)))


def _matched(store: LatentStore, query: MapQuery, marked: np.ndarray) -> Matched:
    return Matched(
        n=len(marked),
        rows=build_rows(store, marked[:LISTED].tolist()),
        grid=links.latents_url({"q": query.q}),
        listed=links.list_url(
            marked[:MAX_LATENTS].tolist(), query.q, sae=links.sae_mark(store.manifest.sae.fingerprint)
        ),
        without=replace(query, q="").url(),
    )


def _chosen(store: LatentStore, query: MapQuery, latent: int) -> Chosen:
    similar = store.similar_latents(latent, _NEAR)
    near = zip(build_rows(store, similar.ids.tolist()), similar.similarities.tolist(), strict=True)
    return Chosen(
        card=latent_card(store, latent, 8),
        near=tuple(Near(row, cosine, query.at(row.ref.latent).url()) for row, cosine in near),
        without=query.at(None).url(),
    )


def _around(plane: np.ndarray, latent: int) -> Region:
    reach = _WINDOW * float(np.ptp(plane, axis=0).max())
    x, y = (float(value) for value in plane[latent])
    return x - reach, x + reach, y - reach, y + reach
