"""WebDataset tars: every listed entry is indexed or rejected, or the listing ends with one sentence."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from random import Random

import torch
from PIL import Image

from benchmarks.fuzzing.target import Fault, Target
from index_builder.decode import SlotDataset
from index_builder.shards import Shard, ShardWriter
from index_builder.sources import listing_sha256, open_source
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.errors import SourceError
from sae_core.sae.topk import SparseCodes

_D_EMBED, _K = 2, 1
_BLOCK = 512  # bytes
_PREPROCESSING = Preprocessing(
    resize=8, crop=8, mode="shortest", interpolation="bicubic", fill=0, mean=(0.5,) * 3, std=(0.5,) * 3
)
_NAMES = (b"../../../up.png", b"/etc/up.png", b"a\0b.png", b"..png", b".png", b"/", b"\xff\xfe.png", b"a\nb.png", b"a")
_NUMBERS = (b"-1", b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"0", b"9", b"")
_PAX = ("size", "path", "linkpath", "mtime", "GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.realsize", "charset")


class Tars(Target):
    """Listing, reading, decoding and the rows of a shard, on a tar of arbitrary bytes."""

    max_bytes = 16_384

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self._inputs = workspace / "in"
        self._inputs.mkdir(exist_ok=True)
        self._tar = self._inputs / "x.tar"
        self._shard = workspace / "shard.arrow"

    def seeds(self) -> Mapping[str, bytes]:
        """Samples with all kinds of metadata, in the three dialects of tar; odd members."""
        samples = {"a/0.png": _png(), "a/0.json": b'{"label": "x", "caption": "y"}', "1.jpg": _png(), "1.cls": b"7"}
        formats = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
        long = {f"{'d' * 120}/2.png": _png(), "2.txt": "ö".encode()}
        plain = {f"{name}.tar": _tar(samples | (long if name != "ustar" else {}), f) for name, f in formats.items()}
        odd = {"symlink": tarfile.SYMTYPE, "device": tarfile.CHRTYPE, "fifo": tarfile.FIFOTYPE, "link": tarfile.LNKTYPE}
        return plain | {f"{name}.tar": _tar(samples, tarfile.PAX_FORMAT, kind) for name, kind in odd.items()}

    def run(self, data: bytes) -> str:
        """How many were indexed and rejected, in words, or the refusal."""
        self._tar.write_bytes(data)
        try:
            source = open_source(str(self._tar))
        except SourceError as error:
            return f"refused: {_kind_of(str(error))}"
        keys = list(source.keys)
        listing_sha256(keys)
        source.state_sha256()
        batch = SlotDataset(source, _PREPROCESSING, 16).__getitems__(list(range(len(keys))))
        indexed, rejected = [row.source_key for row in batch.rows], [reject.source_key for _, reject in batch.rejects]
        if sorted(indexed + rejected) != sorted(keys) or len(set(keys)) != len(keys):
            raise Fault(f"listed {keys}, indexed {indexed}, rejected {rejected}")
        self._check_shard(batch.slots, batch.rows, batch.rejects)
        if [path.name for path in self._inputs.iterdir()] != ["x.tar"]:
            raise Fault("something was unpacked")
        return f"{'some' if indexed else 'none'} indexed, {'some' if rejected else 'none'} rejected"

    def mutate(self, data: bytes, random: Random) -> bytes:
        """Changes a header and mends its checksum, so that what follows is read too; or a pax header's values."""
        changed = bytearray(data)
        headers = [at for at in range(0, len(data) - _BLOCK + 1, _BLOCK) if data[at + 257 : at + 262] == b"ustar"]
        if not headers:
            return data
        at = random.choice(headers)
        if random.random() < 0.2:
            changed[at:at] = _pax_header(random)
            return bytes(changed)
        field, values = random.choice(
            [
                (0, _NAMES),
                (124, _NUMBERS),
                (136, _NUMBERS),
                (100, _NUMBERS),
                (157, _NAMES),
                (345, _NAMES),
                (156, _KINDS),
            ]
        )
        value = random.choice(values)
        changed[at + field : at + field + len(value)] = value
        _mend(changed, at)
        return bytes(changed)

    def _check_shard(self, slots: list[int], rows: list, rejects: list) -> None:  # type: ignore[type-arg]
        """Whatever the texts hold, a shard takes and returns them."""
        writer = ShardWriter(self._shard, _D_EMBED, _K)
        codes = SparseCodes(torch.zeros(len(rows), _K, dtype=torch.int64), torch.ones(len(rows), _K))
        writer.add_pictures(slots, rows, torch.ones(len(rows), _D_EMBED), codes)
        writer.add_rejects(rejects)
        writer.commit()
        shard = Shard(self._shard)
        if (shard.n_pictures, shard.rejects) != (len(rows), [reject for _, reject in sorted(rejects)]):
            raise Fault("the shard holds other rows")


_KINDS = tuple(bytes([kind]) for kind in b"0123456789ALKgxXSDVMN\0z")


def make(workspace: Path) -> Target:
    """The target."""
    return Tars(workspace)


def _kind_of(sentence: str) -> str:
    kinds = ("no whole tar", "links or sparse", "holds no pictures", "twice", "no regular", "too many")
    return next((kind for kind in kinds if kind in sentence), sentence)


def _tar(members: Mapping[str, bytes], dialect: int, odd: bytes | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=dialect, bufsize=_BLOCK) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if dialect == tarfile.PAX_FORMAT:
                info.pax_headers = {"comment": "ü"}
            tar.addfile(info, io.BytesIO(data))
        if odd:
            info = tarfile.TarInfo("odd.png")
            info.type, info.linkname = odd, "../../etc/passwd"
            tar.addfile(info)
    whole = out.getvalue()
    ends = next(at for at in range(0, len(whole), _BLOCK) if not whole[at:].strip(b"\0"))
    return whole[: ends + 2 * _BLOCK]


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (9, 8), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def _pax_header(random: Random) -> bytes:
    """An extended header, its checksum right, with a hostile value."""
    key, value = random.choice(_PAX), random.choice((*_NUMBERS, *_NAMES, json.dumps([0, 1]).encode(), b"1,2,3"))
    record = key.encode() + b"=" + value + b"\n"
    length = len(record) + 1 + len(str(len(record) + 3))
    body = str(random.choice([length, length, length, 0, 5, 10**6])).encode() + b" " + record
    info = tarfile.TarInfo("pax")
    info.type, info.size = random.choice([tarfile.XHDTYPE, tarfile.XGLTYPE]), len(body)
    return info.tobuf(tarfile.USTAR_FORMAT) + body.ljust(-(-len(body) // _BLOCK) * _BLOCK, b"\0")


def _mend(tar: bytearray, at: int) -> None:
    header = tar[at : at + _BLOCK]
    header[148:156] = b" " * 8
    tar[at + 148 : at + 156] = b"%06o\0 " % sum(header)
