"""Shards: the encoded rows of a fixed run of slots, one Arrow file each, written whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

from index_builder.decode import ImageRow, Reject
from sae_core.disk import sync, sync_folder
from sae_core.sae.topk import SparseCodes

_REJECT = pa.struct([(name, pa.string()) for name in Reject._fields])


def shard_schema(d_embed: int, k: int) -> pa.Schema:
    """Columns of a shard; a row is a picture, or a reject where `reject` is not null."""
    return pa.schema(
        [
            ("slot", pa.int64()),
            ("reject", _REJECT),
            *[(name, pa.string()) for name in ("source_key", "label", "caption", "split")],
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("sha256", pa.string()),
            ("thumbnail", pa.binary()),
            ("embedding", pa.list_(pa.float32(), d_embed)),
            ("indices", pa.list_(pa.int32(), k)),
            ("activations", pa.list_(pa.float32(), k)),
        ]
    )


class ShardWriter:
    """Collects a shard's batches and commits them at once."""

    def __init__(self, path: Path, d_embed: int, k: int) -> None:
        self._path, self._schema = path, shard_schema(d_embed, k)
        self._batches: list[pa.RecordBatch] = []

    def add_pictures(self, slots: list[int], rows: list[ImageRow], embeddings: Tensor, codes: SparseCodes) -> None:
        """Adds pictures with their unit embeddings `[n, d_embed]` and codes `[n, k]`."""
        columns = {name: [getattr(row, name) for row in rows] for name in ImageRow._fields}
        vectors = {
            "embedding": _fixed(embeddings),
            "indices": _fixed(codes.indices.to(torch.int32)),
            "activations": _fixed(codes.activations),
        }
        self._add({"slot": slots, "reject": [None] * len(slots), **columns, **vectors}, len(slots))

    def add_rejects(self, rejects: list[tuple[int, Reject]]) -> None:
        """Adds inputs that were not indexed."""
        said = [reject._asdict() for _, reject in rejects]
        self._add({"slot": [slot for slot, _ in rejects], "reject": said}, len(rejects))

    def commit(self) -> None:
        """Writes, syncs and renames."""
        # Several machines may make the same shard where one was thought lost: each writes a file of its own.
        temporary = self._path.with_suffix(f".{uuid.uuid4().hex}.tmp")
        try:
            self._write(temporary)
            temporary.replace(self._path)
        except BaseException:  # on a full disk it would take the room that the next try needs
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(self._path.parent)

    def _write(self, path: Path) -> None:
        with open(path, "wb") as file:
            with pa.ipc.new_file(file, self._schema) as writer:
                for batch in self._batches:
                    writer.write_batch(batch)
            file.flush()
            sync(file.fileno())

    def _add(self, columns: dict[str, object], n: int) -> None:
        if n == 0:
            return
        arrays = [
            values if isinstance(values, pa.Array) else pa.array(values, type=field.type)
            for field in self._schema
            for values in [columns.get(field.name, [None] * n)]
        ]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))


class Shard:
    """A committed shard; pictures and rejects in slot order."""

    def __init__(self, path: Path) -> None:
        table = _mapped(path)
        # Sorting makes one array of a column, and one of thumbnails holds 2 GiB: they stay where they lie.
        self._thumbnails = table["thumbnail"].chunks
        rows = pa.array(np.arange(table.num_rows))
        table = table.drop_columns(["thumbnail"]).append_column("row", rows).sort_by("slot")
        self._rejected = table.filter(table["reject"].is_valid())
        self.pictures = table.filter(table["reject"].is_null())

    @property
    def n_pictures(self) -> int:
        """Number of indexed pictures."""
        return int(self.pictures.num_rows)

    @property
    def rejects(self) -> list[Reject]:
        """Inputs that were not indexed."""
        return [Reject(**said) for said in self._rejected["reject"].to_pylist()]

    @property
    def embeddings(self) -> Float32[np.ndarray, "n d_embed"]:
        """Unit embeddings."""
        return self._matrix("embedding")

    @property
    def indices(self) -> Int32[np.ndarray, "n k"]:
        """Latents of each code, strongest first."""
        return self._matrix("indices")

    @property
    def activations(self) -> Float32[np.ndarray, "n k"]:
        """Their activations."""
        return self._matrix("activations")

    def thumbnails(self) -> Iterator[tuple[memoryview, Int64[np.ndarray, "m"]]]:
        """Encoded thumbnails of a run of pictures, end to end, and their sizes in bytes (0: there is none)."""
        for chunk, start, stop in self._runs():
            _, bounds, data = self._thumbnails[chunk].buffers()
            ends = np.frombuffer(bounds, dtype=np.int32)[start : stop + 1].astype(np.int64)
            yield memoryview(data or b"")[ends[0] : ends[-1]], np.diff(ends)

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """Pictures in slot order, as runs of rows side by side: the chunk they are in, the first row, the last + 1."""
        starts = np.cumsum([0, *map(len, self._thumbnails)])
        rows = self.pictures["row"].to_numpy()
        chunks = np.searchsorted(starts, rows, side="right") - 1
        ends = np.flatnonzero((np.diff(rows) != 1) | (np.diff(chunks) != 0)) + 1
        for first, stop in pairwise([0, *ends.tolist(), len(rows)]):
            if first < stop:
                row = int(rows[first] - starts[chunks[first]]) + self._thumbnails[chunks[first]].offset
                yield int(chunks[first]), row, row + stop - first

    def _matrix(self, name: str) -> np.ndarray:
        column = self.pictures[name].combine_chunks()
        width = column.type.list_size
        return np.asarray(column.flatten()).reshape(-1, width)


def count_pictures(path: Path) -> int:
    """Number of indexed pictures of a shard, without reading its columns."""
    return int(_mapped(path)["reject"].null_count)


def is_complete(path: Path) -> bool:
    """Whether a shard lies there and can be opened; a damaged one is simply made again."""
    try:
        _mapped(path)
    except (OSError, pa.ArrowException):
        return False
    return True


def _mapped(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _fixed(matrix: Tensor) -> pa.Array:
    flat = np.ascontiguousarray(matrix.numpy()).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), int(matrix.shape[1]))
