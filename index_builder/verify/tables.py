"""Tables, labels and thumbnails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from index_builder.labels import label_batches
from sae_core.store import layout
from sae_core.store.images import ImageTable
from sae_core.store.manifest import Manifest


def table_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Rows, columns, and that no input is listed twice."""
    n_rows = ImageTable(root / layout.IMAGES).n_rows  # raises for other columns or batches
    if n_rows != manifest.n_images:
        yield f"{layout.IMAGES} has {n_rows:,} rows, not {manifest.n_images:,}"
    tables = (
        (layout.REJECTS, layout.REJECT_SCHEMA, manifest.n_rejected),
        (layout.LATENTS, layout.LATENT_SCHEMA, manifest.n_latents),
        (layout.LABELS, layout.LABEL_SCHEMA, None),
    )
    for name, schema, wanted in tables:
        table = pq.ParquetFile(root / name)
        if wanted not in (None, table.metadata.num_rows):
            yield f"{name} has {table.metadata.num_rows:,} rows, not {wanted:,}"
        if not layout.has_columns(table.schema_arrow, schema):
            yield f"{name} has other columns than the format's"
    with pa.ipc.open_file(pa.memory_map(str(root / layout.IMAGES))) as reader:
        keys = [reader.get_batch(i).column("source_key") for i in range(reader.num_record_batches)]
    keys.append(pq.read_table(root / layout.REJECTS, columns=["source_key"])["source_key"].combine_chunks())
    listed = pa.chunked_array([key.cast(pa.large_string()) for key in keys])
    if pc.count_distinct(listed).as_py() != len(listed):
        yield "a source_key is listed twice among images and rejects"


def label_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """`labels.npy` says of every image what `images.arrow` says."""
    table = pq.read_table(root / layout.LABELS)
    codes = np.load(root / layout.IMAGE_LABELS, "r")
    known = table["label"].combine_chunks()
    said = [
        pc.fill_null(pc.index_in(column, known), -1).to_numpy(zero_copy_only=False) for column in label_batches(root)
    ]
    if not np.array_equal(np.concatenate(said), codes):
        yield f"{layout.IMAGE_LABELS} and {layout.IMAGES} disagree about labels"
    if not np.array_equal(np.bincount(codes[codes >= 0], minlength=len(known)), table["n_images"].to_numpy()):
        yield f"{layout.LABELS}: n_images is not the number of images of each label"


def thumbnail_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Offsets cut the packed file into pictures."""
    if (layout.THUMBNAILS in manifest.files) != (layout.THUMBNAIL_OFFSETS in manifest.files):
        yield "thumbnails.bin and thumbnails.npy must be there together"
    elif layout.THUMBNAILS in manifest.files:
        offsets = np.load(root / layout.THUMBNAIL_OFFSETS, "r")
        if offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] != (root / layout.THUMBNAILS).stat().st_size:
            yield f"{layout.THUMBNAIL_OFFSETS} does not partition {layout.THUMBNAILS}"
