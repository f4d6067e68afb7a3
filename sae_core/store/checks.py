"""Checks of a store directory: `quick_defects` when it is opened (no file is read through)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sae_core.errors import StoreError, first_line
from sae_core.store import layout
from sae_core.store.manifest import UNKNOWN_FILES, Manifest

_TABLES = (
    (layout.LATENTS, layout.LATENT_SCHEMA),
    (layout.LABELS, layout.LABEL_SCHEMA),
    (layout.CONTROLS, layout.CONTROL_SCHEMA),
)
_MAX_MANIFEST_BYTES = 1_000_000  # a real one has 10,000
BUILD_HINT = "python -m index_builder build --images FOLDER --encoder demo --sae demo --out STORE"


def read_manifest(root: Path) -> Manifest:
    """The validated manifest. Raises StoreError that lists what is wrong with it."""
    path = root / layout.MANIFEST
    if not root.is_dir():
        raise StoreError(f"there is no store at {root}", hint=BUILD_HINT)
    if not path.is_file():
        said = "has no manifest.json: it is no store, or its build did not finish"
        raise StoreError(f"{root} {said}", hint="run the same `python -m index_builder build …` again to resume it")
    try:
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise broken(root, [f"manifest.json has {path.stat().st_size:,} bytes, more than any manifest"])
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        defects = [f"manifest.json: {'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors()]
        if all(_newer(one) for one in error.errors()):
            hint = "update Sparsight: the store is perhaps of a newer version"
            raise StoreError(
                f"{root} says what this version does not know: {'; '.join(defects)}", defects, hint
            ) from error
        raise broken(root, defects) from error
    except OSError as error:
        raise broken(root, [f"manifest.json cannot be read: {error.strerror}"]) from error


def broken(root: Path, defects: list[str]) -> StoreError:
    """The error for a store with these defects."""
    n = len(defects)
    said = f"the store at {root} has {n} {'defect' if n == 1 else 'defects'}: {'; '.join(defects)}"
    return StoreError(said, defects, hint=f"remove {root} and build it again")


def _newer(error: ErrorDetails) -> bool:
    """Whether a field, file or version is unknown, as in the store of a newer version."""
    return error["type"] == "extra_forbidden" or error["loc"] == ("schema_version",) or UNKNOWN_FILES in error["msg"]


def quick_defects(root: Path, manifest: Manifest) -> list[str]:
    """Every file is there with its recorded size, every array has the promised shape, every table its columns."""
    return [*_file_defects(root, manifest), *_shape_defects(root, manifest), *_column_defects(root)]


def changed_files(root: Path, manifest: Manifest) -> list[str]:
    """Files that are gone or have another size than recorded: reading them through a map would end the process."""
    return list(_file_defects(root, manifest))


def expected_shapes(manifest: Manifest) -> dict[str, tuple[int | None, ...]]:
    """Shapes of the arrays; None where only the data decide."""
    n_images, n_latents, d_embed = manifest.n_images, manifest.n_latents, manifest.d_embed
    n_effects = layout.N_RAISED + layout.N_LOWERED
    shapes: dict[str, tuple[int | None, ...]] = {
        layout.IMAGE_LABELS: (n_images,),
        layout.EMBEDDINGS: (n_images, d_embed),
        layout.CODE_INDICES: (n_images, manifest.k),
        layout.CODE_ACTIVATIONS: (n_images, manifest.k),
        layout.POSTING_OFFSETS: (n_latents + 1,),
        layout.POSTING_IMAGE_IDS: (None,),
        layout.POSTING_ACTIVATIONS: (None,),
        layout.HISTOGRAMS: (n_latents, layout.N_BINS),
        layout.LABEL_CODES: (n_latents, layout.N_TOP_LABELS),
        layout.LABEL_COUNTS: (n_latents, layout.N_TOP_LABELS, layout.N_DECILES),
        layout.COACTIVE: (n_latents, layout.N_COACTIVE),
        layout.COACTIVE_COUNTS: (n_latents, layout.N_COACTIVE),
        layout.NEAR_MISSES: (n_latents, layout.N_NEAR_MISSES),
        layout.NEAR_MISS_PRE_ACTIVATIONS: (n_latents, layout.N_NEAR_MISSES),
        layout.CENTROIDS: (n_latents, d_embed),
        layout.EFFECT_LABELS: (n_latents, n_effects),
        layout.EFFECT_COSINES: (n_latents, n_effects),
        layout.EFFECT_Z: (n_latents, n_effects),
        layout.MOMENT_COUNTS: (2,),
        layout.MOMENT_SUMS: (2, d_embed),
        layout.MOMENT_PRODUCTS: (2, d_embed, d_embed),
        layout.MOMENT_LABEL_COUNTS: (2, None),
        layout.MOMENT_LABEL_SUMS: (2, None, d_embed),
    }
    if layout.THUMBNAIL_OFFSETS in manifest.files:
        shapes[layout.THUMBNAIL_OFFSETS] = (manifest.n_images + 1,)
    return shapes


def _file_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    inside = root.resolve()
    for name, info in manifest.files.items():
        path = root / name
        if not path.is_file():
            yield f"{name} is missing"
        elif not path.resolve().is_relative_to(inside):
            yield f"{name} leads out of the store"
        elif path.stat().st_size != info.size:
            yield f"{name} has {path.stat().st_size:,} bytes, not {info.size:,}"


def _shape_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    for name, shape in expected_shapes(manifest).items():
        if not (root / name).is_file():
            continue
        try:
            array = np.load(root / name, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # a header is a Python literal: tokenizer, parser and mmap raise what they like
            yield f"{name} is no array: {first_line(error)}"
            continue
        fits = len(array.shape) == len(shape) and all(
            want in (None, got) for got, want in zip(array.shape, shape, strict=True)
        )
        if not fits or array.dtype != layout.DTYPES[name]:
            yield f"{name} is {array.dtype}{list(array.shape)}, not {layout.DTYPES[name]}{list(shape)}"


def _column_defects(root: Path) -> Iterator[str]:
    for name, schema in _TABLES:
        if not (root / name).is_file():
            continue
        try:
            found = pq.read_schema(root / name)
        except (pa.ArrowException, OSError):
            yield f"{name} is no Parquet file"
            continue
        if not layout.has_columns(found, schema):
            yield f"{name} has other columns than the format's"
