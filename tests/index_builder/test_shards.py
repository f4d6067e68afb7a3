"""A shard gives back what was added, in slot order, however it was added and however much of it there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from index_builder import shards
from index_builder.decode import ImageRow, Reject
from index_builder.shards import Shard, ShardWriter, shard_schema
from sae_core.sae.topk import SparseCodes

_D, _K = 8, 2


def _add(writer: ShardWriter, slots: list[int]) -> None:
    rows = [ImageRow(f"{slot}.png", None, None, None, 9, 9, "0" * 64, b"x" * slot + bytes([slot])) for slot in slots]
    numbers = torch.tensor(slots)[:, None]
    codes = SparseCodes(numbers.expand(-1, _K), numbers.expand(-1, _K).float())
    writer.add_pictures(slots, rows, numbers.expand(-1, _D).float(), codes)


def test_pictures_come_in_slot_order_with_their_thumbnails(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path / "0.arrow", _D, _K)
    for slots in ([0, 1, 4, 7], [3, 6], [8, 9], [11, 10]):
        _add(writer, slots)
    writer.add_rejects([(slot, Reject(f"{slot}.png", "decode", "empty", "it is empty")) for slot in (5, 2)])
    writer.commit()
    shard, wanted = Shard(tmp_path / "0.arrow"), [0, 1, 3, 4, 6, 7, 8, 9, 10, 11]
    assert [reject.source_key for reject in shard.rejects] == ["2.png", "5.png"]
    assert shard.embeddings[:, 0].tolist() == shard.indices[:, 0].tolist() == wanted
    data, sizes = zip(*shard.thumbnails(), strict=True)
    assert b"".join(data) == b"".join(b"x" * slot + bytes([slot]) for slot in wanted)
    assert np.concatenate(sizes).tolist() == [slot + 1 for slot in wanted]


def test_thumbnails_are_more_than_one_array_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    n_bytes = 3 << 29  # zeros that nobody reads take no memory
    large = pa.py_buffer(np.zeros(n_bytes, np.uint8))
    ends = pa.py_buffer(np.array([0, n_bytes], np.int32))
    thumbnail = pa.Array.from_buffers(pa.binary(), 1, [None, ends, large])
    schema = shard_schema(_D, _K)
    batches = [
        pa.RecordBatch.from_arrays(
            [{"slot": pa.array([slot]), "thumbnail": thumbnail}.get(f.name, pa.nulls(1, f.type)) for f in schema],
            schema=schema,
        )
        for slot in (1, 0)
    ]
    monkeypatch.setattr(shards, "_mapped", lambda _: pa.Table.from_batches(batches))
    assert [sizes.tolist() for _, sizes in Shard(Path("large.arrow")).thumbnails()] == [[n_bytes], [n_bytes]]
