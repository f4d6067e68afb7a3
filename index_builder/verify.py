"""A deep check of a store: every byte is read, and every defect is listed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from index_builder.publish import file_info
from sae_core.errors import SparsightError, StoreError
from sae_core.sae.checkpoint import load_sae, sae_fingerprint
from sae_core.store import checks, layout
from sae_core.store.manifest import Manifest

_CHUNK = 65_536


def defects_of(root: Path) -> list[str]:
    """Everything wrong with a store; an empty list for a sound one."""
    try:
        manifest = checks.read_manifest(root)
    except StoreError as error:
        return error.defects or [str(error)]
    if quick := checks.quick_defects(root, manifest):
        return quick + [defect for defect in _hash_defects(root, manifest) if defect.split()[0] not in " ".join(quick)]
    found = [*_hash_defects(root, manifest)]
    parts: tuple[Callable[[Path, Manifest], Iterator[str]], ...] = (
        _table_defects,
        _code_defects,
        _posting_defects,
        _agreement_defects,
        _index_defects,
        _thumbnail_defects,
        _sae_defects,
    )
    for part in parts:
        try:
            found += part(root, manifest)
        except (OSError, ValueError, RuntimeError, IndexError, pa.ArrowException, SparsightError) as error:
            found.append(
                f"{part.__name__.strip('_').replace('_', ' ')}: cannot be checked: {str(error).splitlines()[0]}"
            )
    return found


def _hash_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    for name, info in manifest.files.items():
        if (root / name).is_file() and file_info(root / name).sha256 != info.sha256:
            yield f"{name} has other bytes than when it was published"


def _table_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    tables = (
        (layout.IMAGES, layout.IMAGE_SCHEMA, manifest.n_images),
        (layout.REJECTS, layout.REJECT_SCHEMA, manifest.n_rejected),
        (layout.LATENTS, layout.LATENT_SCHEMA, manifest.n_latents),
    )
    for name, schema, n_rows in tables:
        table = pq.ParquetFile(root / name)
        if table.metadata.num_rows != n_rows:
            yield f"{name} has {table.metadata.num_rows:,} rows, not {n_rows:,}"
        if not table.schema_arrow.equals(schema):
            yield f"{name} has other columns than the format's"
    keys = pq.read_table(root / layout.IMAGES, columns=["source_key"])["source_key"].to_pylist()
    keys += pq.read_table(root / layout.REJECTS, columns=["source_key"])["source_key"].to_pylist()
    if len(set(keys)) != len(keys):
        yield "a source_key is listed twice among images and rejects"


def _code_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    indices, activations = np.load(root / layout.CODE_INDICES, "r"), np.load(root / layout.CODE_ACTIVATIONS, "r")
    for start in range(0, len(indices), _CHUNK):
        latents, values = indices[start : start + _CHUNK], activations[start : start + _CHUNK]
        if latents.min() < 0 or latents.max() >= manifest.n_latents:
            yield f"{layout.CODE_INDICES} names latents outside 0 … {manifest.n_latents - 1}"
        if not np.isfinite(values).all() or (np.diff(values, axis=1) > 0).any():
            yield f"{layout.CODE_ACTIVATIONS} is not finite and strongest first in every row"


def _posting_defects(root: Path, manifest: Manifest) -> Iterator[str]:
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


def _agreement_defects(root: Path, manifest: Manifest) -> Iterator[str]:
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


def _index_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    for name, n in ((layout.IMAGE_INDEX, manifest.n_images), (layout.LATENT_INDEX, manifest.n_latents)):
        index = faiss.read_index(str(root / name))
        if (index.ntotal, index.d) != (n, manifest.d_embed):
            yield f"{name} holds {index.ntotal:,} x {index.d}, not {n:,} x {manifest.d_embed}"
            continue
        starts = range(0, n, _CHUNK)
        errors = [np.abs(_norms(index, start, min(_CHUNK, n - start)) - 1).max() for start in starts]
        if not max(errors) <= 1e-3 or np.isnan(errors).any():
            yield f"{name} holds vectors that are not of unit norm"


def _norms(index: Any, start: int, n: int) -> np.ndarray:
    return np.asarray(np.linalg.norm(index.reconstruct_n(start, n), axis=1))


def _thumbnail_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    if (layout.THUMBNAILS in manifest.files) != (layout.THUMBNAIL_OFFSETS in manifest.files):
        yield "thumbnails.bin and thumbnails.npy must be there together"
    elif layout.THUMBNAILS in manifest.files:
        offsets = np.load(root / layout.THUMBNAIL_OFFSETS, "r")
        if offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] != (root / layout.THUMBNAILS).stat().st_size:
            yield f"{layout.THUMBNAIL_OFFSETS} does not partition {layout.THUMBNAILS}"


def _sae_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    sae = load_sae(root / "sae")
    sizes = (sae.config.d_embed, sae.config.n_latents, sae.config.k)
    if sizes != (manifest.d_embed, manifest.n_latents, manifest.k):
        yield f"sae/ has sizes {sizes}, not those of the manifest"
    if sae_fingerprint(sae) != manifest.sae.fingerprint:
        yield "sae/ is not the SAE that made the codes"


_POSTINGS = (layout.POSTING_OFFSETS, layout.POSTING_IMAGE_IDS, layout.POSTING_ACTIVATIONS)
