"""The map's points as numbers, for the browser to draw: nothing else, whatever their number."""

from __future__ import annotations

import base64

import numpy as np

from explorer.beside import Beside
from explorer.views.map_again import coloring
from explorer.views.map_colors import Groups, Scale
from explorer.views.map_query import AGAIN, COLORS
from sae_core import LatentStore

_SQUARES = 24  # on a side
_SURE = 3.0  # standard deviations


def places(store: LatentStore) -> np.ndarray | None:
    """Float32 [n_latents, 2]; None where the store has no map."""
    if not {"x", "y"} <= set(store.latents.columns):
        return None
    found = store.latents[["x", "y"]].to_numpy(dtype=np.float32)
    return found if len(found) and np.isfinite(found).all() and np.ptp(found, axis=0).any() else None


def point_bytes(store: LatentStore, color: str, beside: Beside | None = None) -> bytes | None:
    """Little-endian float32 [n_latents, 3]: x, y, and the colour, from 0 to 1 on the scale or the number of a group.

    NaN is no colour: a dead latent, or one without the figure. None where there is no map, or no such colour.
    """
    found = places(store)
    if found is None or not (color in COLORS or color.startswith(AGAIN)):
        return None
    return (
        np.column_stack([found, _color_places(store, coloring(store, color, beside or Beside()))])
        .astype("<f4")
        .tobytes()
    )


def _color_places(store: LatentStore, of: Scale | Groups | None) -> np.ndarray:
    values = np.full(store.n_latents, np.nan)
    if isinstance(of, Groups):
        values = np.where(of.codes >= 0, of.codes, np.nan)
    elif isinstance(of, Scale):
        values = np.clip((of.values - of.low) / (of.high - of.low), 0, 1)
    alive = store.latents["n_active"].to_numpy() > 0
    return np.where(alive, values, np.nan)


def group_places(plane: np.ndarray, groups: Groups) -> tuple[tuple[str, float, float], ...]:
    """Where to write what a group is called: where there is most of it against the share that it has everywhere.

    The plane is cut into squares; three by three of them must hold _SURE standard deviations more of the group than
    its share (a Poisson count), or it is written nowhere: it is spread all over.
    """
    edges = [np.linspace(plane[:, axis].min(), plane[:, axis].max(), _SQUARES + 1) for axis in (0, 1)]
    all_points = _around_each(plane, edges)
    found = []
    for code, name in enumerate(groups.names):
        mine = plane[groups.codes == code]
        counts = _around_each(mine, edges)
        expected = all_points * len(mine) / len(plane)
        excess = (counts - expected) / np.sqrt(np.maximum(expected, 1.0))
        row, column = np.unravel_index(excess.argmax(), excess.shape)
        if excess[row, column] < _SURE:
            continue
        at = [np.clip(np.digitize(mine[:, axis], edges[axis]) - 1, 0, _SQUARES - 1) for axis in (0, 1)]
        x, y = mine[(abs(at[0] - row) <= 1) & (abs(at[1] - column) <= 1)].mean(0).tolist()
        found.append((name, x, y))
    return tuple(found)


def _around_each(points: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    """Points in each square and the eight around it."""
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=edges)
    padded = np.pad(counts, 1)
    shifted = [padded[i : i + _SQUARES, j : j + _SQUARES] for i in range(3) for j in range(3)]
    return np.asarray(np.sum(shifted, axis=0))


def point_size(n: int) -> float:
    """Pixels across: many points are small."""
    return float(np.clip(7 * (1536 / max(n, 1)) ** 0.3, 2.4, 9))


def bits(latents: np.ndarray, n_latents: int) -> str:
    """Which latents, one bit each, the lowest first, in base64; empty for none."""
    if not len(latents):
        return ""
    mask = np.zeros(n_latents, dtype=bool)
    mask[latents] = True
    return base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()
