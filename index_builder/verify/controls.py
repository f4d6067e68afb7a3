"""The controls, drawn again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from index_builder.analysis.controls import control_directions, control_galleries
from sae_core.sae.checkpoint import load_sae
from sae_core.store import layout
from sae_core.store.manifest import Manifest

_SAME = 0.9  # share of the strongest images: sums are rounded otherwise on another machine


def control_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Their densities are latents' own, and their pictures those of directions that are drawn again."""
    if layout.CONTROLS not in manifest.files:
        return
    table = pq.read_table(root / layout.CONTROLS)
    embeddings, counts = np.load(root / layout.EMBEDDINGS, "r"), np.load(root / layout.MOMENT_COUNTS)
    mean = np.load(root / layout.MOMENT_SUMS).sum(0) / counts.sum()
    like, kinds = control_directions(root, embeddings, mean, load_sae(root / "sae").directions().numpy())
    wanted = [(kind, latent) for kind in kinds for latent in like.tolist()]
    if [*zip(table["kind"].to_pylist(), table["like_latent"].to_pylist(), strict=True)] != wanted:
        yield f"{layout.CONTROLS} is matched with other latents than are drawn"
        return
    galleries = control_galleries(root, embeddings, mean, like, kinds)
    if table["n_active"].to_pylist() != [len(ids) for ids, _ in galleries]:
        yield f"{layout.CONTROLS}: n_active is not the size of each gallery"
    again = [ids[: layout.N_CONTROL_TOP].tolist() for ids, _ in galleries]
    pairs = zip(table["top_images"].to_pylist(), again, strict=True)
    common = sum(len({*found} & {*ids}) if len(found) == len(ids) else 0 for found, ids in pairs)
    if common < _SAME * sum(map(len, again)):
        yield f"{layout.CONTROLS} names other images than its directions find"
