"""Parquet files with pictures in their rows: every row is indexed or rejected, or one sentence says why not."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.fuzzing.target import Fault, Target
from index_builder.decode import SlotDataset
from index_builder.sources import open_source
from sae_core import parquets
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.errors import SourceError

_MOST_ROWS = 200  # of a changed file: a footer may promise any number
_PREPROCESSING = Preprocessing(
    resize=8, crop=8, mode="shortest", interpolation="bicubic", fill=0, mean=(0.5,) * 3, std=(0.5,) * 3
)
_TEXTS = ("", "a\0b", "\udcff", "x" * 20_000, "<script>", "ö")
_METADATA = (
    b"{",
    b"[]",
    b'{"info": {"features": {"label": {"names": [0]}}}}',
    b'{"info": null}',
    b"[" * 5_000,
    b"\xff",
)


class Parquets(Target):
    """Listing, reading and decoding, on a Parquet file of arbitrary bytes."""

    max_bytes = 16_384

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self._file = workspace / "train-x.parquet"

    def seeds(self) -> Mapping[str, bytes]:
        """The hub's layout and plain columns, in all the encodings that are usual."""
        kinds: Mapping[str, Mapping[str, Any]] = {
            "snappy": {"compression": "snappy"}, "zstd": {"compression": "zstd"}, "gzip": {"compression": "gzip"},
            "plain": {"compression": "none", "use_dictionary": False}, "v2": {"data_page_version": "2.0"},
            "groups": {"row_group_size": 2}, "checked": {"write_page_checksum": True},
        }  # fmt: skip
        made = {f"{name}.parquet": _written(_hub_table(), **options) for name, options in kinds.items()}
        plain = pa.table({"jpg": [_png()] * 3, "txt": ["a", None, "c"], "cls": ["x", "y", "z"], "split": ["val"] * 3})
        return made | {"columns.parquet": _written(plain)}

    def run(self, data: bytes) -> str:
        """How many were indexed and rejected, in words, or the refusal."""
        self._file.write_bytes(data)
        parquets.opened.cache_clear()
        try:
            source = open_source(str(self._file))
        except SourceError as error:
            said = str(error)
            return f"refused: {next((kind for kind in _REFUSALS if kind in said), said[-200:])}"
        n = min(len(source.keys), _MOST_ROWS)
        batch = SlotDataset(source, _PREPROCESSING, 16).__getitems__(list(range(n)))
        if sorted([*batch.slots, *(slot for slot, _ in batch.rejects)]) != list(range(n)):
            raise Fault(f"{n} rows, {len(batch.rows)} indexed, {len(batch.rejects)} rejected")
        for row in batch.rows:
            "".join(text or "" for text in (row.source_key, row.label, row.caption, row.split)).encode()
        return f"{'some' if batch.rows else 'none'} indexed, {'some' if batch.rejects else 'none'} rejected"

    def mutate(self, data: bytes, random: Random) -> bytes:
        """Other values and metadata, written anew; or a byte of the footer, where most of the parsing is."""
        if random.random() < 0.5 and len(data) > 100:
            changed = bytearray(data)
            changed[-random.randrange(9, min(len(data), 700))] = random.randrange(256)
            return bytes(changed)
        table = _hub_table(random.choice(_METADATA)) if random.random() < 0.5 else _odd_table(random)
        return _written(table, row_group_size=random.choice((1, 2, 100)))


_REFUSALS = ("cannot be read as Parquet", "no one column of pictures", "row group of", "holds no pictures")


def make(workspace: Path) -> Target:
    """The target."""
    return Parquets(workspace)


def _hub_table(metadata: bytes = b"") -> pa.Table:
    names = json.dumps({"info": {"features": {"label": {"names": ["a", "b"]}}}}).encode()
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", image), ("label", pa.int64())], {b"huggingface": metadata or names})
    rows = [{"bytes": _png(), "path": "a.png"}, {"bytes": None, "path": "b.png"}, None, {"bytes": b"x", "path": None}]
    return pa.table({"image": rows, "label": [0, 1, -1, 2**62]}, schema)


def _odd_table(random: Random) -> pa.Table:
    texts = [random.choice(_TEXTS).encode("utf-8", "surrogateescape") for _ in range(3)]
    text = pa.array(texts, pa.binary()).view(pa.string())  # not always UTF-8, as other writers leave it
    return pa.table({"image": [_png(), None, b""], "caption": text, "label": [random.randrange(-3, 3)] * 3})


def _written(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (9, 8), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()
