"""The assemble stage: finished shards to the files of a store, in slot order. Deterministic, cheap to start over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from index_builder.analysis import EncodeTexts, analyse
from index_builder.analysis.postings import MEMORY
from index_builder.arrays import new_array
from index_builder.labels import write_labels
from index_builder.rejects import RejectRows
from index_builder.shards import Shard, count_pictures
from sae_core.errors import BuildError
from sae_core.sae.checkpoint import save_sae
from sae_core.sae.topk import TopKSAE
from sae_core.store import layout
from sae_core.store.manifest import ReportCard


def assemble(
    root: Path,
    shards: Sequence[Path],
    sae: TopKSAE,
    encode_texts: EncodeTexts,
    *,
    thumbnails: bool,
    progress: Callable[[int], None],
    step: Callable[[str], None],
    memory: int = MEMORY,
    labels_told: bool = False,
) -> tuple[int, int, ReportCard]:
    """Writes every file but the manifest; returns images, rejects and the report card.

    `progress` is called with the number of slots after each shard, `step` with the name of each analysis that begins.
    Galleries are sorted in `memory` bytes. `labels_told`: labels that hardly repeat were warned of before.
    Raises BuildError where no picture was indexed.
    """
    n_images, n_rejected = add_shards(root, shards, sae, thumbnails=thumbnails, progress=progress)
    write_labels(root, warn=not labels_told)
    save_sae(sae, root / "sae")
    card = analyse(root, sae, encode_texts, step, memory)
    return n_images, n_rejected, card


def add_shards(
    root: Path, shards: Sequence[Path], sae: TopKSAE, *, thumbnails: bool, progress: Callable[[int], None]
) -> tuple[int, int]:
    """Writes every file with a row an image, and the rejects; returns the numbers of both. Raises BuildError."""
    n_images = sum(count_pictures(path) for path in shards)
    if n_images == 0:
        raise BuildError(f"no picture could be indexed; {_commonest_reason(shards)}")
    pictures = _Pictures(root, n_images, sae, thumbnails)
    try:
        for path in shards:
            shard = Shard(path)
            pictures.add(shard)
            progress(shard.n_pictures + len(shard.rejects))
    finally:
        pictures.close()
    return pictures.n, pictures.rejects.n


class _Pictures:
    """Everything with one row an image, written shard by shard."""

    def __init__(self, root: Path, n_images: int, sae: TopKSAE, thumbnails: bool) -> None:
        self.n = 0
        self._images = ImageRows(root)
        self.rejects = RejectRows(root)
        (root / layout.CODE_INDICES).parent.mkdir()
        widths = {
            layout.CODE_INDICES: sae.config.k,
            layout.CODE_ACTIVATIONS: sae.config.k,
            layout.EMBEDDINGS: sae.config.d_embed,
        }
        self._arrays = {
            name: new_array(root / name, layout.DTYPES[name], (n_images, width)) for name, width in widths.items()
        }
        self._thumbnails = _Thumbnails(root, n_images) if thumbnails else None

    def add(self, shard: Shard) -> None:
        """Appends one shard."""
        self.rejects.add(shard.rejects)
        if shard.n_pictures == 0:
            return
        rows = slice(self.n, self.n + shard.n_pictures)
        self.n = rows.stop
        self._arrays[layout.CODE_INDICES][rows] = shard.indices
        self._arrays[layout.CODE_ACTIVATIONS][rows] = shard.activations
        self._arrays[layout.EMBEDDINGS][rows] = shard.embeddings
        self._images.add(shard.pictures.select(layout.IMAGE_SCHEMA.names).cast(layout.IMAGE_SCHEMA))
        if self._thumbnails:
            self._thumbnails.add(shard)

    def close(self) -> None:
        """Finishes the files that need it."""
        self._images.close()
        self.rejects.close()
        if self._thumbnails:
            self._thumbnails.close()


class ImageRows:
    """`images.arrow` in full batches, however the tables were cut."""

    def __init__(self, root: Path) -> None:
        self._writer = pa.ipc.new_file(str(root / layout.IMAGES), layout.IMAGE_SCHEMA)
        self._pending: list[pa.Table] = []
        self._n_pending = 0

    def add(self, table: pa.Table) -> None:
        """Appends rows."""
        self._pending.append(table)
        self._n_pending += table.num_rows
        while self._n_pending >= layout.ROWS_PER_BATCH:
            self._write(layout.ROWS_PER_BATCH)

    def close(self) -> None:
        """Writes what is left, and the footer."""
        if self._n_pending:
            self._write(self._n_pending)
        self._writer.close()

    def _write(self, n_rows: int) -> None:
        # Combined: offsets of a slice would keep the whole table's texts in the file.
        table = pa.concat_tables(self._pending).combine_chunks()
        self._writer.write_table(table.slice(0, n_rows).combine_chunks(), max_chunksize=layout.ROWS_PER_BATCH)
        self._pending, self._n_pending = [table.slice(n_rows)], table.num_rows - n_rows


class _Thumbnails:
    """Packed pictures: one flat file, and the offset of each."""

    def __init__(self, root: Path, n_images: int) -> None:
        self._file = open(root / layout.THUMBNAILS, "wb")  # noqa: SIM115 - closed by close()
        dtype = layout.DTYPES[layout.THUMBNAIL_OFFSETS]
        self._offsets = new_array(root / layout.THUMBNAIL_OFFSETS, dtype, (n_images + 1,))
        self._n = 0

    def add(self, shard: Shard) -> None:
        for data, sizes in shard.thumbnails():
            self._file.write(data)
            first, self._n = self._n, self._n + len(sizes)
            self._offsets[first + 1 : self._n + 1] = self._offsets[first] + np.cumsum(sizes)

    def close(self) -> None:
        self._file.close()


def _commonest_reason(shards: Sequence[Path]) -> str:
    """How many have the reason that most have, in the words that most of these have."""
    said = Counter((reject.error, reject.message) for path in shards for reject in Shard(path).rejects)
    errors: Counter[str] = Counter()
    for (error, _), n in said.items():
        errors[error] += n
    commonest, n = errors.most_common(1)[0]
    message = next(message for (error, message), _ in said.most_common() if error == commonest)
    because = "because" if n == said[commonest, message] else "for instance because"
    return f"{n:,} of {said.total():,} inputs were rejected, {because} {message}"
