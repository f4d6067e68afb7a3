"""A deep check of a store: every byte is read, and every defect is listed at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pyarrow as pa

from index_builder.publish import file_info
from index_builder.verify.codes import agreement_defects, code_defects, posting_defects
from index_builder.verify.controls import control_defects
from index_builder.verify.latents import coactivity_defects, effect_defects, near_miss_defects, profile_defects
from index_builder.verify.tables import label_defects, table_defects, thumbnail_defects
from index_builder.verify.vectors import (
    centroid_defects,
    embedding_defects,
    index_defects,
    moment_defects,
    sae_defects,
)
from sae_core.errors import SparsightError, StoreError, first_line
from sae_core.store import checks
from sae_core.store.manifest import Manifest

_PARTS: tuple[Callable[[Path, Manifest], Iterator[str]], ...] = (
    table_defects,
    label_defects,
    code_defects,
    posting_defects,
    agreement_defects,
    profile_defects,
    coactivity_defects,
    near_miss_defects,
    effect_defects,
    control_defects,
    embedding_defects,
    centroid_defects,
    moment_defects,
    index_defects,
    thumbnail_defects,
    sae_defects,
)


def defects_of(root: Path) -> list[str]:
    """Everything wrong with a store; an empty list for a sound one."""
    try:
        manifest = checks.read_manifest(root)
    except StoreError as error:
        return error.defects or [str(error)]
    if quick := checks.quick_defects(root, manifest):
        return quick + [defect for defect in hash_defects(root, manifest) if defect.split()[0] not in " ".join(quick)]
    found = [*hash_defects(root, manifest)]
    for part in _PARTS:
        try:
            found += part(root, manifest)
        except (OSError, ValueError, RuntimeError, IndexError, pa.ArrowException, SparsightError) as error:
            what = part.__name__.replace("_", " ")
            found.append(f"{what}: cannot be checked: {first_line(error)}")
    return found


def hash_defects(root: Path, manifest: Manifest, names: Collection[str] | None = None) -> Iterator[str]:
    """Files, or those among `names`, that are not what was published."""
    for name, info in manifest.files.items():
        if names is not None and name not in names:
            continue
        if (root / name).is_file() and file_info(root / name).sha256 != info.sha256:
            yield f"{name} has other bytes than when it was published"
