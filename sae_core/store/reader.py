"""The only door to a store. Everything large is memory-mapped or read with pread; opening reads no data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from jaxtyping import Float32
from safetensors import safe_open

from sae_core.errors import MismatchError
from sae_core.store import checks, layout, search
from sae_core.store.files import StoreFiles
from sae_core.store.images import ImageTable
from sae_core.store.latent_facts import LatentFacts
from sae_core.store.manifest import Manifest
from sae_core.store.records import (
    ActivationHistogram,
    Coactive,
    Effects,
    Gallery,
    ImageRecord,
    LabelColumn,
    LabelProfile,
    Matches,
    NearMisses,
    Neighbours,
    SparseCode,
    Thumbnail,
)

if TYPE_CHECKING:
    from sae_core.encoder.clip import ClipEncoder
    from sae_core.sae.topk import TopKSAE

_MAGIC = ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))
_TEXT_COLUMNS = ("top_label", "name", "name_source", "name_match")


class LatentStore:
    """A published store, read-only. Image ids are rows of `images.arrow`, latents are 0 … n_latents - 1.

    Asking for a latent or image that does not exist raises IndexError.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self.n_images, self.n_latents, self.k = manifest.n_images, manifest.n_latents, manifest.k
        # 12 hex digits that change whenever anything in the store does: the manifest holds every file's hash.
        self.version = hashlib.sha256(manifest.model_dump_json().encode()).hexdigest()[:12]
        self._files = files = StoreFiles(path, manifest)
        self._indices = files.array(layout.CODE_INDICES)
        self._activations = files.array(layout.CODE_ACTIVATIONS)
        self._offsets = files.array(layout.POSTING_OFFSETS)
        self._posting_ids = files.array(layout.POSTING_IMAGE_IDS)
        self._posting_activations = files.array(layout.POSTING_ACTIVATIONS)
        self._embeddings = files.array(layout.EMBEDDINGS)
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

    def decile_range(self, latent: int, decile: int) -> tuple[int, int]:
        """Ranks [start, stop) of a decile of the gallery: equally many images each, 10 the strongest, 1 the weakest."""
        if not 1 <= decile <= layout.N_DECILES:
            raise IndexError(f"there is no decile {decile}; they are 1 … {layout.N_DECILES}")
        size, above = self.gallery_size(latent), layout.N_DECILES - decile
        return size * above // layout.N_DECILES, size * (above + 1) // layout.N_DECILES

    def random_members(self, latent: int, n: int, seed: int) -> Gallery:
        """n images of the gallery, drawn without replacement, strongest first; the same for the same seed."""
        low, high = self._posting_range(latent)
        size = high - low
        rng = np.random.default_rng([seed, latent])
        ranks = np.arange(size) if size <= n else np.sort(rng.choice(size, n, replace=False, shuffle=False))
        return Gallery(np.array(self._posting_ids[low + ranks]), np.array(self._posting_activations[low + ranks]))

    def near_misses(self, latent: int, start: int = 0, stop: int | None = None) -> NearMisses:
        """Images in which the latent lost the Top-K, highest pre-activation first; N_NEAR_MISSES at most are stored."""
        self._check(latent, self.n_latents, "latent")
        ids, pre_activations = (found[start:stop] for found in self._facts.near_misses(latent))
        return NearMisses(ids, pre_activations, np.array(self._activations[ids, self.k - 1]))

    def histogram(self, latent: int) -> ActivationHistogram:
        """How many images have which activation, over the whole gallery."""
        strongest = self.gallery(latent, 0, 1).activations
        return self._facts.histogram(latent, float(strongest[0]) if len(strongest) else 0.0)

    def label_profile(self, latent: int) -> LabelProfile:
        """The gallery's most common labels by decile of activation."""
        self._check(latent, self.n_latents, "latent")
        return self._facts.label_profile(latent)

    def coactive(self, latent: int) -> Coactive:
        """Latents active together with this one more often than chance, most certainly so first."""
        self._check(latent, self.n_latents, "latent")
        return self._facts.coactive(latent)

    def effects(self, latent: int) -> Effects:
        """Labels whose scores the direction moves most; empty where the store has no labels."""
        self._check(latent, self.n_latents, "latent")
        return self._facts.effects(latent)

    @cached_property
    def latents(self) -> pd.DataFrame:
        """Figures of every latent (`layout.LATENT_SCHEMA`), row = latent; None where a text is missing."""
        table = pq.read_table(self.path / layout.LATENTS)
        if not table.schema.equals(layout.LATENT_SCHEMA):
            raise checks.broken(self.path, [f"{layout.LATENTS} has other columns than the format's"])
        frame: pd.DataFrame = table.to_pandas()
        texts = {name: [value if isinstance(value, str) else None for value in frame[name]] for name in _TEXT_COLUMNS}
        return frame.assign(**{name: pd.Series(values, dtype=object) for name, values in texts.items()})

    def similar_latents(self, latent: int, n: int) -> Neighbours:
        """The n other latents whose directions are most similar."""
        self._check(latent, self.n_latents, "latent")
        found = search.nearest(self._latent_index, self._latent_index.reconstruct(int(latent)), n + 1)
        others = found.ids != latent
        return Neighbours(found.ids[others][:n], found.similarities[others][:n])

    def text_scores(
        self, embedding: Float32[np.ndarray, "d_embed"], against: Literal["centroids", "directions"] = "centroids"
    ) -> Float32[np.ndarray, "n_latents"]:
        """Cosine of an embedding (of a text) with every latent's gallery centroid or direction.

        Centroids are taken from the store's mean embedding. NaN for a dead latent, which has no centroid.
        """
        search.check_width(embedding, self.manifest.d_embed)
        if against == "directions":
            return np.asarray(self._directions @ embedding)
        dead = np.diff(self._offsets) == 0
        return np.where(dead, np.float32("nan"), self._facts.centroids @ embedding).astype(np.float32)

    def pre_activations(self, embedding: Float32[np.ndarray, "d_embed"]) -> Float32[np.ndarray, "n_latents"]:
        """The SAE's pre-activations of an embedding, all latents: what Top-K then chooses from."""
        search.check_width(embedding, self.manifest.d_embed)
        w_enc, b_enc = self._encoder_weights
        return np.asarray(embedding @ w_enc + b_enc)

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
        numbers = [int(image_id) for image_id in image_ids]
        codes, titles = self.labels.codes, self.labels.titles
        return [
            ImageRecord(image_id=number, title=titles[codes[number]] if codes[number] >= 0 else None, **row)
            for number, row in zip(numbers, self._images.rows(numbers), strict=True)
        ]

    def images_where(
        self, all_of: Sequence[int] = (), any_of: Sequence[int] = (), none_of: Sequence[int] = ()
    ) -> Matches:
        """Images in which all of `all_of`, one of `any_of` (where given) and none of `none_of` are active.

        Strongest first: by the smallest activation among `all_of`, without those by the largest among `any_of`.
        Raises SparsightError where both are empty.
        """
        for latent in (*all_of, *any_of, *none_of):
            self._check(latent, self.n_latents, "latent")
        return search.images_where(self.gallery, self.n_images, all_of, any_of, none_of)

    @cached_property
    def labels(self) -> LabelColumn:
        """Labels of all images as codes (memory-mapped), and what the codes mean."""
        return self._files.labels()

    def embedding(self, image_id: int) -> Float32[np.ndarray, "d_embed"]:
        """The unit embedding of an image."""
        self._check(image_id, self.n_images, "image")
        return np.array(self._embeddings[image_id])

    def nearest_images(self, embedding: Float32[np.ndarray, "d_embed"], n: int) -> Neighbours:
        """The n images whose embeddings are most similar (cosine).

        Exact in a store with a flat index; of many images an inverted file names the candidates, whose cosines are
        then exact.
        """
        query, n = np.asarray(embedding), min(n, self.n_images)
        if hasattr(self._image_index, "nprobe"):
            return search.nearest_refined(self._image_index, self._embeddings, query, n)
        return search.nearest(self._image_index, query, n)

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
    def _facts(self) -> LatentFacts:
        return LatentFacts(self._files, np.diff(self._offsets))

    @cached_property
    def _image_index(self) -> Any:
        return self._files.index(layout.IMAGE_INDEX, self.n_images)

    @cached_property
    def _latent_index(self) -> Any:
        return self._files.index(layout.LATENT_INDEX, self.n_latents)

    @cached_property
    def _directions(self) -> np.ndarray:
        return np.asarray(self._latent_index.reconstruct_n(0, self.n_latents))

    @cached_property
    def _encoder_weights(self) -> tuple[np.ndarray, np.ndarray]:
        with safe_open(self.path / layout.SAE_WEIGHTS, framework="numpy") as weights:
            return weights.get_tensor("W_enc"), weights.get_tensor("b_enc")

    def _open_thumbnails(self) -> tuple[int, np.ndarray] | None:
        if layout.THUMBNAILS not in self.manifest.files or layout.THUMBNAIL_OFFSETS not in self.manifest.files:
            return None
        offsets = self._files.array(layout.THUMBNAIL_OFFSETS)
        return os.open(self.path / layout.THUMBNAILS, os.O_RDONLY), offsets

    def _posting_range(self, latent: int) -> tuple[int, int]:
        self._check(latent, self.n_latents, "latent")
        return int(self._offsets[latent]), int(self._offsets[latent + 1])

    def _check(self, value: int, n: int, what: str) -> None:
        if not 0 <= value < n:
            raise IndexError(f"there is no {what} {value}; this store has 0 … {n - 1:,}")
