"""Pictures in the plane of two concepts, or in the three planes of three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from explorer.views.geometry_query import MAX_AXES, GeometryQuery
from explorer.views.parts import LatentRef, latent_ref
from explorer.views.resolved import Resolved
from explorer.views.sides import ranked_latents, span_latents
from explorer.views.tiles import tiles
from sae_core import LatentStore
from sae_core.spans import orthogonal_steps

N_MEMBERS = 60  # pictures of each axis' gallery
N_RANDOM = 120  # pictures of the whole store
N_OFFERED = 10  # concepts that are offered as axes
_SEED = 0


@dataclass(frozen=True)
class Point:
    """A picture and its coordinates."""

    image_id: int | None  # None: the visitor's upload, or a withheld picture
    href: str
    src: str | None
    caption: str
    label: str
    at: tuple[float, ...]  # one coordinate per axis


@dataclass(frozen=True)
class Group:
    """Pictures that belong together; a picture is in the first group it fits."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Axis:
    """One orthonormal axis."""

    ref: LatentRef
    rest: float  # how much of the direction is new, norm of what earlier axes leave of it: 1 for the first


@dataclass(frozen=True)
class Geometry:
    """Pictures along orthonormal axes, which begin with the first concept's direction."""

    query: GeometryQuery
    concepts: tuple[LatentRef, ...]  # as asked, also those that add no axis
    cosines: tuple[tuple[float, ...], ...]  # between the concepts' directions
    axes: tuple[Axis, ...]
    directions: tuple[tuple[float, ...], ...]  # each concept's direction in the axes' coordinates
    groups: tuple[Group, ...]
    remarks: tuple[str, ...]
    offered: tuple[LatentRef, ...]  # the choice's strongest concepts
    d_embed: int

    @property
    def planes(self) -> tuple[tuple[int, int], ...]:
        """Pairs of axes; none where there are fewer than two."""
        return tuple(combinations(range(len(self.axes)), 2))


def build_geometry(store: LatentStore, resolved: Resolved, query: GeometryQuery) -> Geometry:
    """The choice's pictures, members of the axes' galleries and random pictures, in the concepts' coordinates."""
    # Of chosen latents: these first, then what else is active in their pictures.
    strongest = list(dict.fromkeys((*span_latents(resolved), *ranked_latents(resolved))))
    concepts, remarks = _concepts(store, resolved, query, strongest)
    directions = store.directions[list(concepts)].astype(np.float64)
    steps = orthogonal_steps(directions)
    new = [at for at, step in enumerate(steps) if step.any()]
    axes, within = steps[new], directions @ steps[new].T
    if len(new) >= 2:
        remarks += [
            f"#{latent} adds no axis: its direction lies in the span of those before it."
            for at, latent in enumerate(concepts)
            if at not in new
        ]
    origin = np.zeros(store.manifest.d_embed) if query.origin == "zero" else store.mean_embedding
    return Geometry(
        query=query,
        concepts=tuple(latent_ref(store, latent) for latent in concepts),
        cosines=tuple(tuple(float(value) for value in row) for row in directions @ directions.T),
        axes=tuple(Axis(latent_ref(store, concepts[at]), float(within[at, i])) for i, at in enumerate(new)),
        directions=tuple(tuple(float(value) for value in row) for row in within),
        groups=_groups(store, resolved, [concepts[at] for at in new], axes, origin) if len(new) >= 2 else (),
        remarks=tuple(remarks),
        offered=tuple(latent_ref(store, latent) for latent in strongest[:N_OFFERED]),
        d_embed=store.manifest.d_embed,
    )


def _concepts(
    store: LatentStore, resolved: Resolved, query: GeometryQuery, strongest: list[int]
) -> tuple[list[int], list[str]]:
    """The latents that become axes, and what is to be said of them."""
    remarks = [f"“{query.unread}” is no number of a latent."] if query.unread else []
    known = [latent for latent in query.axes if latent < store.n_latents]
    remarks += [
        f"There is no latent {latent}; this store has 0 … {store.n_latents - 1:,}."
        for latent in query.axes
        if latent not in known
    ]
    if len(known) > MAX_AXES:
        remarks.append(f"{MAX_AXES} axes at most: the first {MAX_AXES} are used.")
    if len(known) == 1:
        remarks.append("A plane needs two concepts: the strongest other one of the choice is added.")
    n_wanted = MAX_AXES if resolved.latents and not known and len(resolved.latents) >= MAX_AXES else 2
    chosen = list(dict.fromkeys((*known[:MAX_AXES], *strongest)))[: max(n_wanted, min(len(known), MAX_AXES))]
    remarks += [
        f"#{latent} is dead: no picture in this store activates it. Its direction is an axis all the same."
        for latent in chosen
        if store.latents.at[latent, "n_active"] == 0 and latent not in store.hidden.latents
    ]
    if len(chosen) < 2:
        remarks.append("Fewer than two latents are active here: name axes to see a plane.")
    return chosen, remarks


def _groups(
    store: LatentStore, resolved: Resolved, latents: Sequence[int], axes: np.ndarray, origin: np.ndarray
) -> tuple[Group, ...]:
    mine = Group(resolved.title, _points(store, resolved, axes, origin))
    seen, groups = set(resolved.image_ids.tolist()), []
    rng = np.random.default_rng(_SEED)
    lots = [(f"gallery of #{latent}", store.random_members(latent, N_MEMBERS, _SEED).image_ids) for latent in latents]
    lots.append(("random pictures", rng.choice(store.n_images, min(N_RANDOM, store.n_images), replace=False)))
    for name, image_ids in lots:
        ids = [image_id for image_id in image_ids.tolist() if image_id not in seen]
        seen.update(ids)
        groups.append(Group(name, _store_points(store, ids, store.embeddings(ids), axes, origin)))
    return tuple(group for group in (mine, *groups) if group.points)


def _points(store: LatentStore, resolved: Resolved, axes: np.ndarray, origin: np.ndarray) -> tuple[Point, ...]:
    if len(resolved.image_ids):
        return _store_points(store, resolved.image_ids.tolist(), resolved.embeddings, axes, origin)
    at = _coordinates(resolved.embeddings, axes, origin)[0]
    return (Point(None, "", None, resolved.title, "your upload", at),)


def _store_points(
    store: LatentStore, image_ids: list[int], embeddings: np.ndarray, axes: np.ndarray, origin: np.ndarray
) -> tuple[Point, ...]:
    found = zip(tiles(store, image_ids), _coordinates(embeddings, axes, origin), strict=True)
    return tuple(
        Point(None if tile.hidden else tile.image_id, tile.href, tile.src, tile.caption, tile.label or "", at)
        for tile, at in found
    )


def _coordinates(embeddings: np.ndarray, axes: np.ndarray, origin: np.ndarray) -> list[tuple[float, ...]]:
    return [tuple(float(value) for value in row) for row in (embeddings - origin) @ axes.T]
