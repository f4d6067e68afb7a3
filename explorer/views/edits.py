"""An edited code: what became of the embedding, and which pictures came near and which left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from explorer.views.inspection import Source, kept_code, nearest
from explorer.views.parts import LatentRef, latent_ref
from explorer.views.tiles import Tile
from sae_core import LatentStore
from sae_core.accounting import edited
from sae_core.store.records import KeptCode

COPY = 1 - 1e-5  # cosine: the same but for rounding


@dataclass(frozen=True)
class Change:
    """One latent whose activation was changed."""

    ref: LatentRef
    before: float  # 0 where Top-K did not keep it
    after: float


@dataclass(frozen=True, eq=False)
class Edit:
    """The picture as if its code were another one."""

    changes: tuple[Change, ...]
    embedding: Float64[np.ndarray, "d_embed"]  # unit
    norm: float  # before it was made unit
    cosine: float  # with the original embedding
    before: tuple[Tile, ...]  # nearest pictures, the inspected one left out
    after: tuple[Tile, ...]

    @property
    def came(self) -> frozenset[int]:
        """Pictures that are near only after the edit."""
        return frozenset(tile.image_id for tile in self.after) - {tile.image_id for tile in self.before}

    @property
    def left(self) -> frozenset[int]:
        """Pictures that were near only before."""
        return frozenset(tile.image_id for tile in self.before) - {tile.image_id for tile in self.after}

    @property
    def closest(self) -> tuple[float, float]:
        """Cosine to the nearest picture, before and after; nan where the store has no other picture.

        Copies of the original, as an upload may have, are no others: any edit leads away from them.
        """
        copies = {tile.image_id for tile in self.before if (tile.figure or 0.0) >= COPY}
        before, after = ([one for one in tiles if one.image_id not in copies] for tiles in (self.before, self.after))
        return (_first(before), _first(after)) if before and after else (_first(self.before), _first(self.after))


def build_edit(store: LatentStore, source: Source, changes: Mapping[int, float]) -> Edit:
    """Raises SparsightError where the edit leaves nothing of the embedding."""
    code = kept_code(store, source)
    moved = edited(source.embedding, code, dict(changes), store.decoder_rows)
    x = source.embedding.astype(np.float64)
    return Edit(
        changes=_changes(store, code, changes),
        embedding=moved.embedding,
        norm=moved.norm,
        cosine=float(moved.embedding @ x / np.linalg.norm(x)),
        before=nearest(store, source.embedding, source.image_id),
        after=nearest(store, moved.embedding.astype(np.float32), source.image_id),
    )


def _changes(store: LatentStore, code: KeptCode, changes: Mapping[int, float]) -> tuple[Change, ...]:
    was = dict(zip(code.latents.tolist(), code.activations.tolist(), strict=True))
    return tuple(Change(latent_ref(store, latent), was.get(latent, 0.0), after) for latent, after in changes.items())


def _first(tiles: Sequence[Tile]) -> float:
    figure = tiles[0].figure if tiles else None
    return float("nan") if figure is None else figure
