"""The decode stage: bytes to cropped pixels and thumbnails, in worker processes, a batch of slots at a time."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import Dataset

from index_builder.jpegs import plain_size
from index_builder.reuse import Reuse
from index_builder.sources import RawPicture, Source
from index_builder.sources.texts import clean
from sae_core.encoder.preprocessing import Decoder, Preprocessing
from sae_core.errors import ChangedError, PictureError
from sae_core.pictures import open_picture
from sae_core.thumbnails import encode_thumbnail

_FINER = 2  # times what the encoder sees: a JPEG that is decoded smaller keeps at least that


class ImageRow(NamedTuple):
    """What is stored of one indexed picture, besides numbers."""

    source_key: str
    label: str | None
    caption: str | None
    split: str | None
    width: int
    height: int
    sha256: str
    thumbnail: bytes  # empty: none


class Reject(NamedTuple):
    """One input that was not indexed."""

    source_key: str
    stage: str  # decode or encode
    error: str  # a word, for counting
    message: str  # a sentence


@dataclass
class DecodedBatch:
    """Slots of one batch, sorted into new pictures, known ones and rejects; `slots` and `pixels` go with `rows`."""

    slots: list[int] = field(default_factory=list)
    rows: list[ImageRow] = field(default_factory=list)
    rejects: list[tuple[int, Reject]] = field(default_factory=list)
    pixels: UInt8[Tensor, "n crop crop 3"] = field(default_factory=lambda: torch.zeros(0, 0, 0, 3, dtype=torch.uint8))
    known: list[tuple[int, ImageRow, int]] = field(default_factory=list)  # slot, row, image id in the older store
    coded: list[tuple[int, ImageRow, int]] = field(default_factory=list)  # slot, row without thumbnail, bytes in `data`
    data: UInt8[Tensor, "n_bytes"] = field(
        default_factory=lambda: torch.zeros(0, dtype=torch.uint8)
    )  # JPEGs for the GPU
    changed: ChangedError | None = None  # why there is nothing

    @property
    def n_slots(self) -> int:
        """All of them."""
        return len(self.slots) + len(self.known) + len(self.coded) + len(self.rejects)


class SlotDataset(Dataset[DecodedBatch]):
    """Batches of slots, as torch's DataLoader fetches them (`__getitems__`)."""

    def __init__(
        self,
        source: Source,
        preprocessing: Preprocessing,
        thumbnail_side: int,
        threads: int = 1,
        reuse: Reuse | None = None,
        decoder: Decoder = "cpu",
    ) -> None:
        self.source = source
        self.reuse = reuse
        self.preprocessing = preprocessing
        self.thumbnail_side = thumbnail_side
        self.decoder = decoder  # gpu: plain JPEGs are handed on as they are
        self.threads = threads  # that share a batch; Pillow decodes and resizes without holding Python's lock

    def __getitem__(self, slot: int) -> DecodedBatch:
        return self.__getitems__([slot])

    def __getitems__(self, slots: list[int]) -> DecodedBatch:
        """Decodes a batch; nothing a picture does can stop it. A file that changed is said in its place."""
        try:
            return self._batch(slots)
        except ChangedError as error:  # raised, PyTorch would send it from a worker process with a traceback in it
            return DecodedBatch(changed=error)

    def _batch(self, slots: list[int]) -> DecodedBatch:
        batch, decoded = DecodedBatch(), self._decoded(slots)
        pixels: list[np.ndarray] = []
        data: list[bytes] = []
        for slot, result in zip(slots, decoded, strict=True):
            if isinstance(result, Reject):
                batch.rejects.append((slot, result))
            elif isinstance(result[1], int):
                batch.known.append((slot, result[0], result[1]))
            elif isinstance(result[1], bytes):
                batch.coded.append((slot, result[0], len(result[1])))
                data.append(result[1])
            else:
                batch.slots.append(slot)
                batch.rows.append(result[0])
                pixels.append(result[1])
        if pixels:
            batch.pixels = torch.from_numpy(np.stack(pixels))
        if data:
            batch.data = torch.frombuffer(bytearray(b"".join(data)), dtype=torch.uint8)
        return batch

    def on_cpu(self, slots: list[int]) -> DecodedBatch:
        """The same slots once more, with nothing left to the GPU."""
        return SlotDataset(self.source, self.preprocessing, self.thumbnail_side, reuse=self.reuse)._batch(slots)

    def _decoded(self, slots: list[int]) -> list[tuple[ImageRow, np.ndarray | int | bytes] | Reject]:
        if self.threads == 1:  # handing each picture to a thread would take as long as reading it
            return [self._decode_or_reject(slot) for slot in slots]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(self._decode_or_reject, slots))

    def _decode_or_reject(self, slot: int) -> tuple[ImageRow, np.ndarray | int | bytes] | Reject:
        try:
            return self._decode(slot)
        except PictureError as error:
            reason, message = error.reason, str(error)
        except ChangedError:
            raise
        except Exception as error:  # too odd to resize, out of memory, …: one picture is never the build's end
            reason, message = "broken", f"the picture cannot be decoded: {error or type(error).__name__}"
        return Reject(self.source.keys[slot], "decode", reason, clean(message) or reason)

    def _decode(self, slot: int) -> tuple[ImageRow, np.ndarray | int | bytes]:
        """The row, and its cropped pixels, or the image id of a picture that the older store has, or a JPEG."""
        key, raw = self.source.keys[slot], self.source.read(slot)
        sha256 = hashlib.sha256(raw.data).hexdigest()
        if self.reuse and (was := self.reuse.record(slot, sha256)):
            thumbnail = self.reuse.thumbnail(was.image_id) if self.thumbnail_side else b""
            return _row(key, raw, (was.width, was.height), sha256, thumbnail), was.image_id
        if self.decoder == "gpu" and (size := plain_size(raw.data, self.preprocessing)):
            return _row(key, raw, size, sha256, b""), raw.data
        picture = open_picture(raw.data, short_side(self.decoder, self.preprocessing, self.thumbnail_side))
        cropped = self.preprocessing.crop_pixels(picture.pixels)
        thumbnail = encode_thumbnail(picture, self.thumbnail_side) if self.thumbnail_side else b""
        return _row(key, raw, (picture.width, picture.height), sha256, thumbnail), cropped


def short_side(decoder: Decoder, preprocessing: Preprocessing, thumbnail_side: int) -> int | None:
    """Pixels that both sides of a JPEG must keep when it is decoded; None: all of theirs."""
    return max(_FINER * preprocessing.resize, thumbnail_side) if decoder == "reduced" else None


def _row(key: str, raw: RawPicture, size: tuple[int, int], sha256: str, thumbnail: bytes) -> ImageRow:
    return ImageRow(key, raw.label, raw.caption, raw.split, *size, sha256, thumbnail)
