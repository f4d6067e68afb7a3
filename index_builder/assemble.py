"""The assemble stage: finished shards to the files of a store, in slot order. Deterministic, cheap to start over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.lib.format import open_memmap

from index_builder.figures import write_figures
from index_builder.naming import TermTable
from index_builder.postings import write_postings
from index_builder.shards import Shard, count_pictures
from sae_core.errors import BuildError
from sae_core.metrics import FidelityMeter, random_pair_cosine
from sae_core.sae.checkpoint import save_sae
from sae_core.sae.topk import SparseCodes, TopKSAE
from sae_core.store import layout
from sae_core.store.manifest import ReportCard

_N_PAIRS = 4_096


def assemble(
    root: Path, shards: Sequence[Path], sae: TopKSAE, *, thumbnails: bool, progress: Callable[[int], None]
) -> tuple[int, int, ReportCard]:
    """Writes every file but the manifest; returns images, rejects and the report card.

    `progress` is called with the number of slots after each shard. Raises BuildError where no picture was indexed.
    """
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
    faiss.write_index(pictures.index, str(root / layout.IMAGE_INDEX))
    write_postings(root, sae.config.n_latents)
    n_dead = write_figures(root, pictures.labels, pictures.terms)
    _write_latent_index(root, sae)
    save_sae(sae, root / "sae")
    fidelity = pictures.meter.result(_random_pairs(root, pictures.index, sae))
    card = ReportCard(**vars(fidelity), n_dead=n_dead)
    return pictures.n, pictures.n_rejected, card


class _Pictures:
    """Everything with one row an image, written shard by shard."""

    def __init__(self, root: Path, n_images: int, sae: TopKSAE, thumbnails: bool) -> None:
        self.n = self.n_rejected = 0
        self.labels: list[str | None] = []
        self.terms = TermTable()
        self.meter = FidelityMeter()
        self.index = faiss.IndexFlatIP(sae.config.d_embed)
        self._sae = sae
        self._images = _ImageRows(root)
        self._rejects = pq.ParquetWriter(root / layout.REJECTS, layout.REJECT_SCHEMA)
        (root / layout.CODE_INDICES).parent.mkdir()
        shape = (n_images, sae.config.k)
        self._indices = open_memmap(root / layout.CODE_INDICES, "w+", layout.DTYPES[layout.CODE_INDICES], shape)
        self._activations = open_memmap(
            root / layout.CODE_ACTIVATIONS, "w+", layout.DTYPES[layout.CODE_ACTIVATIONS], shape
        )
        self._thumbnails = _Thumbnails(root, n_images) if thumbnails else None

    def add(self, shard: Shard) -> None:
        """Appends one shard."""
        rejects = shard.rejects
        self.n_rejected += len(rejects)
        self._rejects.write_table(
            pa.Table.from_pylist([reject._asdict() for reject in rejects], schema=layout.REJECT_SCHEMA)
        )
        if shard.n_pictures == 0:
            return
        rows = slice(self.n, self.n + shard.n_pictures)
        self.n = rows.stop
        self._indices[rows], self._activations[rows] = shard.indices, shard.activations
        self.index.add(shard.embeddings)
        self._measure(shard)
        table = shard.pictures.select(layout.IMAGE_SCHEMA.names).cast(layout.IMAGE_SCHEMA)
        self._images.add(table)
        for label, caption in zip(table["label"].to_pylist(), table["caption"].to_pylist(), strict=True):
            self.labels.append(label)
            self.terms.add(label, caption)
        if self._thumbnails:
            self._thumbnails.add(shard)

    def close(self) -> None:
        """Finishes the files that need it."""
        self._images.close()
        self._rejects.close()
        if self._thumbnails:
            self._thumbnails.close()

    def _measure(self, shard: Shard) -> None:
        activations = torch.from_numpy(np.array(shard.activations))
        codes = SparseCodes(torch.from_numpy(np.array(shard.indices)).long(), activations)
        with torch.no_grad():
            self.meter.add(torch.from_numpy(np.array(shard.embeddings)), self._sae.decode(codes), activations)


class _ImageRows:
    """`images.parquet` in full row groups, however the shards were cut."""

    def __init__(self, root: Path) -> None:
        self._writer = pq.ParquetWriter(root / layout.IMAGES, layout.IMAGE_SCHEMA)
        self._pending = layout.IMAGE_SCHEMA.empty_table()

    def add(self, table: pa.Table) -> None:
        self._pending = pa.concat_tables([self._pending, table])
        n_full = self._pending.num_rows // layout.ROWS_PER_GROUP * layout.ROWS_PER_GROUP
        if n_full:
            self._writer.write_table(self._pending.slice(0, n_full), row_group_size=layout.ROWS_PER_GROUP)
            self._pending = self._pending.slice(n_full)

    def close(self) -> None:
        if self._pending.num_rows:
            self._writer.write_table(self._pending)
        self._writer.close()


class _Thumbnails:
    """Packed pictures: one flat file, and the offset of each."""

    def __init__(self, root: Path, n_images: int) -> None:
        self._file = open(root / layout.THUMBNAILS, "wb")  # noqa: SIM115 - closed by close()
        dtype = layout.DTYPES[layout.THUMBNAIL_OFFSETS]
        self._offsets = open_memmap(root / layout.THUMBNAIL_OFFSETS, "w+", dtype, (n_images + 1,))
        self._n = 0

    def add(self, shard: Shard) -> None:
        for data in shard.thumbnails():
            self._file.write(data)
            self._n += 1
            self._offsets[self._n] = self._offsets[self._n - 1] + len(data)

    def close(self) -> None:
        self._file.close()


def _random_pairs(root: Path, index: Any, sae: TopKSAE) -> float:
    """The baseline of the reconstruction cosine, on rows spread over the whole store."""
    rows = np.unique(np.linspace(0, index.ntotal - 1, _N_PAIRS).astype(np.int64))
    indices = torch.from_numpy(np.load(root / layout.CODE_INDICES, mmap_mode="r")[rows]).long()
    activations = torch.from_numpy(np.load(root / layout.CODE_ACTIVATIONS, mmap_mode="r")[rows])
    x = torch.from_numpy(index.reconstruct_batch(rows))
    return random_pair_cosine(x, sae.decode(SparseCodes(indices, activations)))


def _commonest_reason(shards: Sequence[Path]) -> str:
    said = Counter(reject.message for path in shards for reject in Shard(path).rejects)
    message, n = said.most_common(1)[0]
    return f"{n:,} of {said.total():,} inputs were rejected because {message}"


def _write_latent_index(root: Path, sae: TopKSAE) -> None:
    index = faiss.IndexFlatIP(sae.config.d_embed)
    index.add(np.ascontiguousarray(sae.directions().cpu().numpy()))
    faiss.write_index(index, str(root / layout.LATENT_INDEX))
