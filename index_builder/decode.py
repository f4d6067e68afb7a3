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

from index_builder.sources import RawPicture, Source
from index_builder.sources.base import clean
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.errors import PictureError
from sae_core.pictures import Picture, encode_thumbnail, open_picture


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
    """Slots of one batch, sorted into pictures and rejects; `slots` and `pixels` go with `rows`."""

    slots: list[int] = field(default_factory=list)
    rows: list[ImageRow] = field(default_factory=list)
    rejects: list[tuple[int, Reject]] = field(default_factory=list)
    pixels: UInt8[Tensor, "n crop crop 3"] = field(default_factory=lambda: torch.zeros(0, 0, 0, 3, dtype=torch.uint8))


class SlotDataset(Dataset[DecodedBatch]):
    """Batches of slots, as torch's DataLoader fetches them (`__getitems__`)."""

    def __init__(self, source: Source, preprocessing: Preprocessing, thumbnail_side: int, threads: int = 1) -> None:
        self.source = source
        self.preprocessing = preprocessing
        self.thumbnail_side = thumbnail_side
        self.threads = threads  # that share a batch; Pillow decodes and resizes without holding Python's lock

    def __getitem__(self, slot: int) -> DecodedBatch:
        return self.__getitems__([slot])

    def __getitems__(self, slots: list[int]) -> DecodedBatch:
        """Decodes a batch; nothing a picture does can stop it."""
        with ThreadPoolExecutor(self.threads) as pool:
            decoded = list(pool.map(self._decode_or_reject, slots))
        batch = DecodedBatch()
        pixels: list[np.ndarray] = []
        for slot, result in zip(slots, decoded, strict=True):
            if isinstance(result, Reject):
                batch.rejects.append((slot, result))
            else:
                batch.slots.append(slot)
                batch.rows.append(result[0])
                pixels.append(result[1])
        if pixels:
            batch.pixels = torch.from_numpy(np.stack(pixels))
        return batch

    def _decode_or_reject(self, slot: int) -> tuple[ImageRow, np.ndarray] | Reject:
        try:
            return self._decode(slot)
        except PictureError as error:
            reason, message = error.reason, str(error)
        except Exception as error:  # too odd to resize, out of memory, …: one picture is never the build's end
            reason, message = "broken", f"the picture cannot be decoded: {error or type(error).__name__}"
        return Reject(self.source.keys[slot], "decode", reason, clean(message) or reason)

    def _decode(self, slot: int) -> tuple[ImageRow, np.ndarray]:
        raw = self.source.read(slot)
        picture = open_picture(raw.data)
        cropped = self.preprocessing.crop_pixels(picture.rgb)
        thumbnail = encode_thumbnail(picture.rgb, self.thumbnail_side) if self.thumbnail_side else b""
        return _row(self.source.keys[slot], raw, picture, thumbnail), cropped


def _row(key: str, raw: RawPicture, picture: Picture, thumbnail: bytes) -> ImageRow:
    sha256 = hashlib.sha256(raw.data).hexdigest()
    return ImageRow(key, raw.label, raw.caption, raw.split, picture.width, picture.height, sha256, thumbnail)
