"""Codes and postings, and that both say the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from sae_core.store import layout
from sae_core.store.manifest import Manifest

_CHUNK = 65_536
_POSTINGS = (layout.POSTING_OFFSETS, layout.POSTING_IMAGE_IDS, layout.POSTING_ACTIVATIONS)


def code_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Every row names latents that exist, each once, strongest first and equal ones by latent."""
    indices, activations = np.load(root / layout.CODE_INDICES, "r"), np.load(root / layout.CODE_ACTIVATIONS, "r")
    for start in range(0, len(indices), _CHUNK):
        latents, values = indices[start : start + _CHUNK], activations[start : start + _CHUNK]
        if latents.min() < 0 or latents.max() >= manifest.n_latents:
            yield f"{layout.CODE_INDICES} names latents outside 0 … {manifest.n_latents - 1}"
        if not np.isfinite(values).all() or (np.diff(values, axis=1) > 0).any():
            yield f"{layout.CODE_ACTIVATIONS} is not finite and strongest first in every row"
        if (np.diff(np.sort(latents, axis=1), axis=1) == 0).any():
            yield f"{layout.CODE_INDICES} names a latent twice in one row"
        if ((np.diff(values, axis=1) == 0) & (np.diff(latents, axis=1) < 0)).any():
            yield f"{layout.CODE_INDICES} does not order equal activations by latent"


def posting_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Galleries partition the postings, each strongest first with ties by image id."""
    offsets, ids, values = (np.load(root / name, "r") for name in _POSTINGS)
    if offsets[0] != 0 or (np.diff(offsets) < 0).any() or not offsets[-1] == len(ids) == len(values):
        yield f"{layout.POSTING_OFFSETS} does not partition the postings"
        return
    if len(ids) and (ids.min() < 0 or ids.max() >= manifest.n_images):
        yield f"{layout.POSTING_IMAGE_IDS} names images outside 0 … {manifest.n_images - 1}"
    if len(values) > 1:
        step, id_step = np.diff(values), np.diff(ids)
        starts = offsets[(offsets > 0) & (offsets < len(values))] - 1
        wrong = (step > 0) | ((step == 0) & (id_step <= 0))
        wrong[starts] = False  # the step from one latent's gallery to the next
        if wrong.any():
            yield "a gallery is not strongest first with ties by image id"


def agreement_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Codes and postings say the same: equal sets of (image, latent, activation)."""
    indices, activations = np.load(root / layout.CODE_INDICES, "r"), np.load(root / layout.CODE_ACTIVATIONS, "r")
    offsets, ids, values = (np.load(root / name, "r") for name in _POSTINGS)
    rows, columns = np.nonzero(activations > 0)
    latents = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    by_code = np.lexsort((rows, indices[rows, columns]))
    by_posting = np.lexsort((ids, latents))
    same = len(rows) == len(ids) and (
        np.array_equal(indices[rows, columns][by_code], latents[by_posting])
        and np.array_equal(rows[by_code], ids[by_posting])
        and np.array_equal(activations[rows, columns][by_code], values[by_posting])
    )
    if not same:
        yield "codes/ and postings/ disagree"
    n_active = pq.read_table(root / layout.LATENTS, columns=["n_active"])["n_active"].to_numpy()
    if not np.array_equal(n_active, np.diff(offsets)):
        yield f"{layout.LATENTS}: n_active is not the size of each gallery"
    if int((n_active == 0).sum()) != manifest.report.n_dead:
        yield f"manifest.json: report.n_dead is not the {int((n_active == 0).sum())} dead latents there are"
