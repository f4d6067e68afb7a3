"""Pictures that a published store already has: by name, and only where the file's bytes are the same."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from index_builder.sources import Source
from sae_core.encoder.clip import ClipEncoder
from sae_core.encoder.preprocessing import Decoder
from sae_core.errors import BuildError, MismatchError
from sae_core.sae.checkpoint import sae_fingerprint
from sae_core.sae.topk import SparseCodes, TopKSAE
from sae_core.store import LatentStore, layout
from sae_core.store.images import ImageTable
from sae_core.store.records import ImageRecord

log = logging.getLogger("sparsight")
REUSED = (  # files that it reads
    layout.IMAGES,
    layout.EMBEDDINGS,
    layout.CODE_INDICES,
    layout.CODE_ACTIVATIONS,
    layout.THUMBNAILS,
    layout.THUMBNAIL_OFFSETS,
)


@dataclass(frozen=True)
class Reuse:
    """What an older store knows of the slots of a build; sent to worker processes, which open the store themselves."""

    path: Path
    version: str
    image_ids: Int64[np.ndarray, "n_slots"]  # of the picture of the same name; -1: none
    same_sae: bool

    @classmethod
    def of(
        cls, path: Path, source: Source, clip: ClipEncoder, decoder: Decoder, sae: TopKSAE, thumbnail_side: int
    ) -> Reuse:
        """Opens the store. Raises MismatchError, BuildError or StoreError where nothing of it can be used."""
        path = path.resolve()
        manifest, version = _opened(path).manifest, _opened(path).version
        if manifest.encoder.fingerprint != clip.fingerprint:
            raise MismatchError(f"--reuse: {path.name} was made with another encoder ({manifest.encoder.name})")
        if manifest.encoder.precision != clip.precision:
            raise BuildError(
                f"--reuse: {path.name} was encoded in --precision {manifest.encoder.precision}: give the same"
            )
        if manifest.encoder.decoder != decoder:
            raise BuildError(f"--reuse: {path.name} was built with --decode {manifest.encoder.decoder}: give the same")
        if thumbnail_side and manifest.thumbnail_side != thumbnail_side:
            there = f"of {manifest.thumbnail_side} pixels" if manifest.thumbnail_side else "none"
            raise BuildError(
                f"--reuse: this build wants thumbnails of {thumbnail_side} pixels, {path.name} has {there}: "
                "give --thumbnails what it has"
            )
        image_ids = _ids_of(path, source.keys)
        _say(path, image_ids)
        return cls(path, version, image_ids, manifest.sae.fingerprint == sae_fingerprint(sae))

    def record(self, slot: int, sha256: str) -> ImageRecord | None:
        """The store's record of a slot's picture; None where it has none, or one of other bytes."""
        image_id = int(self.image_ids[slot])
        record = _opened(self.path).image(image_id) if image_id >= 0 else None
        return record if record and record.sha256 == sha256 else None

    def thumbnail(self, image_id: int) -> bytes:
        """Its stored thumbnail."""
        found = _opened(self.path).thumbnail(image_id)
        return found.data if found else b""

    def embeddings(self, image_ids: Sequence[int]) -> Float32[Tensor, "m d_embed"]:
        """Stored embeddings."""
        return torch.from_numpy(_opened(self.path).embeddings(image_ids))

    def codes(self, image_ids: Sequence[int]) -> SparseCodes:
        """Stored codes, of the store's own SAE."""
        latents, activations = _opened(self.path).codes(image_ids)
        return SparseCodes(torch.from_numpy(latents), torch.from_numpy(activations))


@lru_cache(1)
def _opened(path: Path) -> LatentStore:
    return LatentStore.open(path)


def _ids_of(path: Path, keys: Sequence[str]) -> Int64[np.ndarray, "n_slots"]:
    """Image ids by name; -1 where there is none."""
    found = pc.index_in(list(keys), value_set=ImageTable(path / layout.IMAGES).keys)
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _say(path: Path, image_ids: np.ndarray) -> None:
    n = int((image_ids >= 0).sum())
    if n:
        log.info("%s of %s pictures are in %s by name: those of equal bytes are not encoded", n, len(image_ids), path)
    else:
        log.warning("WARNING: nothing listed is in %s by name (names are relative to --images): all is encoded", path)
