"""`latents.parquet`: the figures of each latent, from its gallery and from what the other analyses found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from index_builder.analysis.borne import Carriers
from index_builder.analysis.embeddings import EmbeddingFacts
from index_builder.analysis.naming import Name
from index_builder.analysis.profiles import galleries
from sae_core.store import layout


def write_figures(
    root: Path, names: Sequence[Name | None], carriers: Carriers, facts: EmbeddingFacts, places: np.ndarray
) -> None:
    """Writes `latents.parquet`; `places` `[n_latents, 2]` are positions on the map."""
    n_active = np.diff(np.load(root / layout.POSTING_OFFSETS))
    columns: dict[str, object] = {"n_active": n_active, "density": n_active / facts.n_images}
    columns |= _activation_figures(root, len(n_active))
    columns |= _label_figures(root)
    columns |= name_columns(names) | carriers.columns(names, (ids for ids, _ in galleries(root)))
    columns |= {
        "monosemanticity": known(facts.galleries.monosemanticity),
        "split_half": known(facts.galleries.split_half),
    }
    columns |= {"x": places[:, 0], "y": places[:, 1]}
    pq.write_table(pa.table(columns, schema=layout.LATENT_SCHEMA), root / layout.LATENTS)


def _activation_figures(root: Path, n_latents: int) -> dict[str, np.ndarray]:
    """Maximum, mean and median over each gallery; 0 for a dead latent."""
    figures = np.zeros((3, n_latents), dtype=np.float32)
    for latent, (_, activations) in enumerate(galleries(root)):
        if len(activations):
            run = activations.astype(np.float64)
            figures[:, latent] = run[0], run.mean(), np.median(run)
    return dict(zip(("max_activation", "mean_activation", "median_activation"), figures, strict=True))


def _label_figures(root: Path) -> dict[str, list[object]]:
    """The commonest label of each gallery (its title) and its share among the gallery's labelled images."""
    labels = np.load(root / layout.IMAGE_LABELS, mmap_mode="r")
    names = pq.read_table(root / layout.LABELS)["title"].to_pylist()
    codes, counts = np.load(root / layout.LABEL_CODES), np.load(root / layout.LABEL_COUNTS).sum(2)
    labelled = [int((labels[ids] >= 0).sum()) for ids, _ in galleries(root)]
    best = [int(code) for code in codes[:, 0]]
    return {
        "top_label": [names[code] if code >= 0 else None for code in best],
        "label_purity": [count / n if n else None for count, n in zip(counts[:, 0].tolist(), labelled, strict=True)],
    }


def name_columns(names: Sequence[Name | None]) -> dict[str, list[object]]:
    """Names as columns; null where there is none."""
    return {
        "name": [name.text if name else None for name in names],
        "name_score": known(name.score if name else None for name in names),
        "name_low": known(name.low if name else None for name in names),
        "name_good": [name.good if name else False for name in names],
        "name_source": [name.source if name else None for name in names],
        "name_match": [name.match if name else None for name in names],
    }


def known(values: Iterable[float | None]) -> list[object]:
    """NaN as null: a figure that does not exist is missing, not a number."""
    return [None if value is None or not np.isfinite(value) else float(value) for value in values]
