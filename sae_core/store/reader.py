"""The only door to a store. Everything large is memory-mapped or read with pread; opening reads no data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
import pandas as pd
from jaxtyping import Float32

from sae_core.errors import MismatchError, SparsightError
from sae_core.store import checks, layout
from sae_core.store.images import ImageTable
from sae_core.store.manifest import Manifest
from sae_core.store.records import Gallery, ImageRecord, LabelColumn, Neighbours, SparseCode, Thumbnail

if TYPE_CHECKING:
    from sae_core.encoder.clip import ClipEncoder
    from sae_core.sae.topk import TopKSAE

_MAGIC = ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))


class LatentStore:
    """A published store, read-only. Image ids are rows of `images.parquet`, latents are 0 … n_latents - 1.

    Asking for a latent or image that does not exist raises IndexError.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self.n_images, self.n_latents, self.k = manifest.n_images, manifest.n_latents, manifest.k
        # 12 hex digits that change whenever anything in the store does: the manifest holds every file's hash.
        self.version = hashlib.sha256(manifest.model_dump_json().encode()).hexdigest()[:12]
        self._indices = self._array(layout.CODE_INDICES)
        self._activations = self._array(layout.CODE_ACTIVATIONS)
        self._offsets = self._array(layout.POSTING_OFFSETS)
        self._posting_ids = self._array(layout.POSTING_IMAGE_IDS)
        self._posting_activations = self._array(layout.POSTING_ACTIVATIONS)
        self._images = ImageTable(path / layout.IMAGES)
        self._thumbnails = self._open_thumbnails()

    @classmethod
    def open(cls, path: str | Path) -> LatentStore:
        """Opens a store after checking manifest, file sizes and array shapes. Raises StoreError with all defects."""
        root = Path(path).expanduser()
        manifest = checks.read_manifest(root)
        if defects := checks.quick_defects(root, manifest):
            raise checks.broken(root, defects)
        try:
            return cls(root, manifest)
        except (OSError, ValueError) as error:
            raise checks.broken(root, [str(error)]) from error

    # Latents

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

    @cached_property
    def latents(self) -> pd.DataFrame:
        """Figures of every latent (`layout.LATENT_SCHEMA`), row = latent; None where a text is missing."""
        frame = pd.read_parquet(self.path / layout.LATENTS)
        texts = {
            name: [value if isinstance(value, str) else None for value in frame[name]] for name in ("top_label", "name")
        }
        return frame.assign(**{name: pd.Series(values, dtype=object) for name, values in texts.items()})

    def similar_latents(self, latent: int, n: int) -> Neighbours:
        """The n other latents whose directions are most similar."""
        self._check(latent, self.n_latents, "latent")
        found = _search(self._latent_index, self._latent_index.reconstruct(int(latent)), n + 1)
        others = found.ids != latent
        return Neighbours(found.ids[others][:n], found.similarities[others][:n])

    # Images

    def code(self, image_id: int) -> SparseCode:
        """The active latents of an image, strongest first."""
        self._check(image_id, self.n_images, "image")
        latents, activations = np.array(self._indices[image_id]), np.array(self._activations[image_id])
        active = activations > 0
        return SparseCode(latents[active].astype(np.int64), activations[active])

    def image(self, image_id: int) -> ImageRecord:
        """What is known of one image."""
        return self.images([image_id])[0]

    def images(self, image_ids: Sequence[int]) -> list[ImageRecord]:
        """The same of several, in the order asked for."""
        for image_id in image_ids:
            self._check(image_id, self.n_images, "image")
        return self._images.rows([int(image_id) for image_id in image_ids])

    @cached_property
    def labels(self) -> LabelColumn:
        """Labels of all images as codes: read on first use, 4 bytes an image."""
        return self._images.labels()

    def embedding(self, image_id: int) -> Float32[np.ndarray, "d_embed"]:
        """The unit embedding of an image."""
        self._check(image_id, self.n_images, "image")
        return np.asarray(self._image_index.reconstruct(int(image_id)))

    def nearest_images(self, embedding: Float32[np.ndarray, "d_embed"], n: int) -> Neighbours:
        """The n images whose embeddings are most similar (cosine)."""
        return _search(self._image_index, np.asarray(embedding), min(n, self.n_images))

    def thumbnail(self, image_id: int) -> Thumbnail | None:
        """The small picture of an image; None where the store has none."""
        self._check(image_id, self.n_images, "image")
        thumbnails = self._thumbnails
        if thumbnails is None:
            return None
        descriptor, offsets = thumbnails
        start, end = int(offsets[image_id]), int(offsets[image_id + 1])
        data = os.pread(descriptor, end - start, start)
        kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
        return Thumbnail(data, kind) if kind else None

    @property
    def has_thumbnails(self) -> bool:
        """Whether the store was built with pictures."""
        return self._thumbnails is not None

    # Models

    def sae(self) -> TopKSAE:
        """The SAE that made the codes, from the store's own copy."""
        from sae_core.sae.checkpoint import load_sae, sae_fingerprint

        sae = load_sae(self.path / "sae")
        if (found := sae_fingerprint(sae)) != self.manifest.sae.fingerprint:
            raise MismatchError(
                f"the store's SAE is {found[:12]}, its codes were made by {self.manifest.sae.fingerprint[:12]}"
            )
        return sae

    def load_encoder(self, device: str = "cpu") -> ClipEncoder:
        """The encoder that made the embeddings. Raises MismatchError where what loads today is another one."""
        from sae_core.encoder.clip import ClipEncoder

        wanted = self.manifest.encoder
        encoder = ClipEncoder.load(wanted.ref, device)
        if encoder.fingerprint != wanted.fingerprint:
            raise MismatchError(
                f"the encoder {wanted.ref} is not the one this store was built with "
                f"(fingerprint {encoder.fingerprint[:12]}, the store's is {wanted.fingerprint[:12]})"
            )
        return encoder

    def close(self) -> None:
        """Closes the thumbnail file; memory maps go with the object."""
        thumbnails, self._thumbnails = self._thumbnails, None
        if thumbnails is not None:
            os.close(thumbnails[0])

    def __del__(self) -> None:
        if getattr(self, "_thumbnails", None) is not None:
            self.close()

    # Inside

    @cached_property
    def _image_index(self) -> Any:
        return self._index(layout.IMAGE_INDEX, self.n_images)

    @cached_property
    def _latent_index(self) -> Any:
        return self._index(layout.LATENT_INDEX, self.n_latents)

    def _index(self, name: str, n: int) -> Any:
        try:
            index = faiss.read_index(str(self.path / name), faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
        except RuntimeError as error:
            raise checks.broken(self.path, [f"{name} is no FAISS index"]) from error
        if (index.ntotal, index.d) != (n, self.manifest.d_embed):
            raise checks.broken(
                self.path, [f"{name} holds {index.ntotal} x {index.d}, not {n} x {self.manifest.d_embed}"]
            )
        return index

    def _array(self, name: str) -> np.ndarray:
        array: np.ndarray = np.load(self.path / name, mmap_mode="r", allow_pickle=False)
        return array

    def _open_thumbnails(self) -> tuple[int, np.ndarray] | None:
        if layout.THUMBNAILS not in self.manifest.files or layout.THUMBNAIL_OFFSETS not in self.manifest.files:
            return None
        offsets = self._array(layout.THUMBNAIL_OFFSETS)
        return os.open(self.path / layout.THUMBNAILS, os.O_RDONLY), offsets

    def _posting_range(self, latent: int) -> tuple[int, int]:
        self._check(latent, self.n_latents, "latent")
        return int(self._offsets[latent]), int(self._offsets[latent + 1])

    def _check(self, value: int, n: int, what: str) -> None:
        if not 0 <= value < n:
            raise IndexError(f"there is no {what} {value}; this store has 0 … {n - 1:,}")


def _search(index: Any, query: np.ndarray, n: int) -> Neighbours:
    if query.shape != (index.d,):
        raise SparsightError(f"an embedding of {index.d} numbers is needed, not one of shape {query.shape}")
    similarities, ids = index.search(np.ascontiguousarray(query[None], dtype=np.float32), max(n, 1))
    found = ids[0] >= 0
    return Neighbours(ids[0][found][:n], similarities[0][found][:n])
