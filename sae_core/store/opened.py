"""The files of an open store, and the two reads that everything else needs: a gallery, and a check of a number."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sae_core.errors import WithheldError
from sae_core.store import layout
from sae_core.store.files import StoreFiles
from sae_core.store.hidden import Hidden, HideList, resolve
from sae_core.store.images import ImageTable
from sae_core.store.manifest import Manifest
from sae_core.store.originals import Originals
from sae_core.store.records import Gallery


class OpenStore:
    """Memory maps and descriptors; nothing is read but headers."""

    def __init__(
        self, path: Path, manifest: Manifest, originals: Originals | None = None, hide: HideList | None = None
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.n_images, self.n_latents, self.k = manifest.n_images, manifest.n_latents, manifest.k
        self._files = files = StoreFiles(path, manifest)
        self._indices = files.array(layout.CODE_INDICES)
        self._activations = files.array(layout.CODE_ACTIVATIONS)
        self._offsets = files.array(layout.POSTING_OFFSETS)
        self._posting_ids = files.array(layout.POSTING_IMAGE_IDS)
        self._posting_activations = files.array(layout.POSTING_ACTIVATIONS)
        self._embeddings = files.array(layout.EMBEDDINGS)
        self._images = ImageTable(path / layout.IMAGES)
        self._originals = originals
        self._thumbnails = self._open_thumbnails()
        self.hidden = resolve(hide, self.n_latents, files.labels(), self._images) if hide else Hidden()
        # 12 hex digits that change whenever anything in the store does, or what is hidden of it: the manifest holds
        # every file's hash.
        said = manifest.model_dump_json() + self.hidden.digest
        self.version = hashlib.sha256(said.encode()).hexdigest()[:12]

    def gallery(self, latent: int, start: int = 0, stop: int | None = None) -> Gallery:
        """Images of a latent from rank `start` to before `stop`, strongest first."""
        low, high = self._posting_range(latent)
        stop = high - low if stop is None else stop
        rows = slice(min(low + max(start, 0), high), min(low + max(stop, 0), high))
        return Gallery(np.array(self._posting_ids[rows]), np.array(self._posting_activations[rows]))

    def gallery_size(self, latent: int) -> int:
        """Number of images in which a latent is active."""
        low, high = self._posting_range(latent)
        return high - low

    def close(self) -> None:
        """Closes the thumbnail file; memory maps go with the object."""
        thumbnails, self._thumbnails = self._thumbnails, None
        if thumbnails is not None:
            os.close(thumbnails[0])

    def __del__(self) -> None:
        if getattr(self, "_thumbnails", None) is not None:
            self.close()

    def _open_thumbnails(self) -> tuple[int, np.ndarray] | None:
        if layout.THUMBNAILS not in self.manifest.files or layout.THUMBNAIL_OFFSETS not in self.manifest.files:
            return None
        offsets = self._files.array(layout.THUMBNAIL_OFFSETS)
        return os.open(self.path / layout.THUMBNAILS, os.O_RDONLY), offsets

    def _posting_range(self, latent: int) -> tuple[int, int]:
        """Rows of the postings; a hidden latent has none."""
        self._check(latent, self.n_latents, "latent")
        low, high = int(self._offsets[latent]), int(self._offsets[latent + 1])
        return (low, low) if latent in self.hidden.latents else (low, high)

    def check_latents_shown(self, latents: Sequence[int]) -> None:
        """Raises WithheldError where one of the latents is hidden."""
        if found := sorted(self.hidden.latents.intersection(latents)):
            raise WithheldError(f"latent #{found[0]} is withheld by those who share this store")

    def _check(self, value: int, n: int, what: str) -> None:
        if not 0 <= value < n:
            raise IndexError(f"there is no {what} {value}; this store has 0 … {n - 1:,}")
