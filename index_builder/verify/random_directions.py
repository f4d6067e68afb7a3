"""The baseline of random directions, drawn again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from index_builder.analysis.random_directions import random_galleries
from sae_core.store import layout
from sae_core.store.manifest import Manifest

_SAME = 0.9  # share of the strongest images: sums are rounded otherwise on another machine


def random_direction_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Their densities are latents' own, and their pictures those of directions that are drawn again."""
    if layout.RANDOM_DIRECTIONS not in manifest.files:
        return
    table = pq.read_table(root / layout.RANDOM_DIRECTIONS)
    embeddings, counts = np.load(root / layout.EMBEDDINGS, "r"), np.load(root / layout.MOMENT_COUNTS)
    mean = np.load(root / layout.MOMENT_SUMS).sum(0) / counts.sum()
    like, _, galleries = random_galleries(root, embeddings, mean)
    if not np.array_equal(table["like_latent"].to_numpy(), like):
        yield f"{layout.RANDOM_DIRECTIONS} is matched with other latents than are drawn"
        return
    if table["n_active"].to_pylist() != [len(ids) for ids, _ in galleries]:
        yield f"{layout.RANDOM_DIRECTIONS}: n_active is not the size of each gallery"
    wanted = [ids[: layout.N_RANDOM_TOP].tolist() for ids, _ in galleries]
    pairs = zip(table["top_images"].to_pylist(), wanted, strict=True)
    common = sum(len({*found} & {*again}) if len(found) == len(again) else 0 for found, again in pairs)
    if common < _SAME * sum(map(len, wanted)):
        yield f"{layout.RANDOM_DIRECTIONS} names other images than its directions find"
