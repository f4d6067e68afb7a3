"""The heat maps of one picture, each computed once: what is costly is kept, and says how far it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8

from explorer.recent import RecentArrays
from explorer.turns import Turn, Turns
from sae_core import ClipEncoder
from sae_core.heatmaps import (
    DeletionCurve,
    Grid,
    centre_order,
    deletion_curves,
    grid_of,
    integrated_gradients,
    map_order,
    occluded_embeddings,
    occlusion_map,
    random_order,
)
from sae_core.heatmaps.gradients import STEPS
from sae_core.sae.topk import TopKSAE

N_RANDOM = 8  # orders of the deletion test
Progress = Callable[[str, float], None]  # what is done, and the share of it that is
InTurn = Callable[[], AbstractContextManager[Turn]]  # the encoder, for oneself alone
Alone = Callable[[Hashable], AbstractContextManager[object]]  # while nobody else computes what has this key
_Part = TypeVar("_Part")


@dataclass(frozen=True, eq=False)
class HeatMaps:
    """Maps of any latent over one picture, in units of its pre-activation.

    `progress` is called after every batch; what it raises (a visitor who left) ends the computation, and nothing of
    it is kept. Between two batches all who wait for the encoder go first, once each.
    """

    encoder: ClipEncoder
    sae: TopKSAE
    pixels: UInt8[np.ndarray, "crop crop 3"]  # what the encoder sees
    kept: RecentArrays
    key: Hashable  # the picture's, in `kept`
    progress: Progress
    in_turn: InTurn = lambda: Turns(1).turn()
    alone: Alone = nullcontext

    @property
    def grid(self) -> Grid:
        """The maps' cells."""
        return grid_of(len(self.pixels))

    def ends(self) -> Float32[np.ndarray, "2 d_embed"]:
        """Embeddings of the picture and of the mean colour alone."""

        def compute() -> tuple[np.ndarray, ...]:
            plain = np.broadcast_to(self.encoder.preprocessing.mean_colour, self.pixels.shape)
            with self.in_turn():
                return (self.encoder.encode_pixels(torch.from_numpy(np.stack([self.pixels, plain]))).numpy(),)

        return self._once("ends", compute)[0]

    def weight(self, latent: int) -> Float32[np.ndarray, "d_embed"]:
        """The latent's column of the SAE's encoder."""
        return self.sae.W_enc[:, latent].numpy()

    def map(self, latent: int, method: str) -> Float[np.ndarray, "n_cells n_cells"]:
        """By "occlusion" or "gradients"; positive cells speak for the latent."""
        return self._gradients(latent) if method == "gradients" else self._occlusion(latent)

    def deletion(self, latent: int) -> dict[str, tuple[DeletionCurve, ...]]:
        """Curves by order: occlusion, gradients, centre, random (N_RANDOM of them)."""
        names = ["occlusion", "gradients", "centre", *["random"] * N_RANDOM]
        removed, scores = self._once(("deletion", latent), lambda: self._deletion(latent))
        curves = [DeletionCurve(removed, row) for row in scores]
        return {
            name: tuple(curve for said, curve in zip(names, curves, strict=True) if said == name)
            for name in dict.fromkeys(names)
        }

    def _occlusion(self, latent: int) -> Float[np.ndarray, "n_cells n_cells"]:
        def compute() -> tuple[np.ndarray, ...]:
            batches = occluded_embeddings(self.encoder, self.pixels, self.grid)
            what = f"Occlusion: encoding the picture {self.grid.n_windows} times, a part of it hidden"
            return (np.concatenate(list(self._told(batches, self.grid.n_windows, what, len))),)

        occluded = self._once("occlusion", compute)[0]
        return occlusion_map(self.ends()[0], occluded, self.weight(latent), self.grid)

    def _gradients(self, latent: int) -> Float[np.ndarray, "n_cells n_cells"]:
        def compute() -> tuple[np.ndarray, ...]:
            batches = integrated_gradients(self.encoder, self.pixels, self.weight(latent), batch_size=1)
            what = f"Integrated gradients: {STEPS} steps from the mean colour to the picture"
            return (self.grid.pool(np.sum(list(self._told(batches, STEPS, what)), axis=0)),)

        return self._once(("gradients", latent), compute)[0]

    def _deletion(self, latent: int) -> tuple[np.ndarray, ...]:
        orders = [map_order(self.map(latent, method)) for method in ("occlusion", "gradients")]
        orders += [centre_order(self.grid), *(random_order(self.grid, seed) for seed in range(N_RANDOM))]
        bias = float(self.sae.b_enc[latent])
        found = deletion_curves(self.encoder, self.pixels, orders, self.weight(latent), bias, self.grid)
        curves = list(self._told(found, len(orders), "Deletion test: removing cells in different orders"))
        return curves[0].removed, np.stack([curve.pre_activations for curve in curves])

    def _told(
        self, parts: Iterable[_Part], n: int, what: str, size: Callable[[_Part], int] = lambda _: 1
    ) -> Iterator[_Part]:
        """Passes the parts on and tells of each; `n` is how many there will be, by `size`."""
        done = 0
        with self.in_turn() as turn:
            self.progress(what, 0.0)
            for part in parts:
                done += size(part)
                self.progress(what, done / n)
                yield part
                turn.give_way()

    def _once(self, what: Hashable, compute: Callable[[], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
        """What is kept; otherwise it is computed, by one visitor, and the others find it."""
        key = (self.key, what)
        if (found := self.kept.peek(key)) is not None:
            return found
        with self.alone(key):
            return self.kept.get(key, compute)
