"""Per-latent figures, from the postings: one pass over the latents, one gallery in memory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from index_builder.naming import Name, TermTable, name_latents
from sae_core.store import layout


def write_figures(root: Path, labels: Sequence[str | None], terms: TermTable) -> int:
    """Writes `latents.parquet`; returns the number of dead latents."""
    offsets = np.load(root / layout.POSTING_OFFSETS)
    ids = np.load(root / layout.POSTING_IMAGE_IDS, mmap_mode="r")
    activations = np.load(root / layout.POSTING_ACTIVATIONS, mmap_mode="r")
    n_active = np.diff(offsets)
    columns: dict[str, object] = {"n_active": n_active, "density": n_active / max(len(labels), 1)}
    columns |= _activation_figures(offsets, activations)
    columns |= _label_figures(offsets, ids, labels)
    columns |= _name_columns(name_latents(terms, offsets, ids, activations))
    pq.write_table(pa.table(columns, schema=layout.LATENT_SCHEMA), root / layout.LATENTS)
    return int((n_active == 0).sum())


def _activation_figures(offsets: np.ndarray, activations: np.ndarray) -> dict[str, np.ndarray]:
    """Maximum, mean and median over each gallery; 0 for a dead latent."""
    figures = np.zeros((3, len(offsets) - 1), dtype=np.float32)
    for latent, (low, high) in enumerate(pairwise(offsets.tolist())):
        if high > low:
            run = np.asarray(activations[low:high], dtype=np.float64)
            figures[:, latent] = run[0], run.mean(), np.median(run)
    return dict(zip(("max_activation", "mean_activation", "median_activation"), figures, strict=True))


def _label_figures(offsets: np.ndarray, ids: np.ndarray, labels: Sequence[str | None]) -> dict[str, list[object]]:
    """The commonest label of each gallery and its share among the gallery's labelled images."""
    names = sorted({label for label in labels if label is not None})
    number = {name: code for code, name in enumerate(names)}
    codes = np.array([number[label] if label is not None else -1 for label in labels], dtype=np.int64)
    top: list[object] = []
    purity: list[object] = []
    for low, high in pairwise(offsets.tolist()):
        seen = codes[np.asarray(ids[low:high])]
        counts = np.bincount(seen[seen >= 0], minlength=1)
        best = int(counts.argmax())
        labelled = int(counts.sum())
        top.append(names[best] if labelled else None)
        purity.append(counts[best] / labelled if labelled else None)
    return {"top_label": top, "label_purity": purity}


def _name_columns(names: Sequence[Name | None]) -> dict[str, list[object]]:
    return {
        "name": [name.text if name else None for name in names],
        "name_score": [name.score if name else None for name in names],
    }
