"""What a store answers about images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64
from PIL import Image

from sae_core.errors import WithheldError
from sae_core.store import layout, search
from sae_core.store.gpu_search import GpuVectors
from sae_core.store.hidden import redacted_labels, redacted_record
from sae_core.store.opened import OpenStore
from sae_core.store.records import ImageRecord, LabelColumn, Matches, Neighbours, SparseCode, Thumbnail
from sae_core.store.rows import rows_of

_TINY = 128  # pixels: a store whose thumbnails are smaller shows those of the viewer's own copy instead
_MAGIC = ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))


class ImageReads(OpenStore):
    """Codes, facts, queries over codes, neighbours and thumbnails; image ids are rows of `images.arrow`."""

    def code(self, image_id: int) -> SparseCode:
        """The active latents of an image, strongest first. Raises WithheldError where the image is hidden."""
        self.check_shown(image_id)
        latents, activations = np.array(self._indices[image_id]), np.array(self._activations[image_id])
        active = activations > 0
        return SparseCode(latents[active].astype(np.int64), activations[active])

    def codes(
        self, image_ids: Sequence[int] | np.ndarray
    ) -> tuple[Int64[np.ndarray, "m k"], Float32[np.ndarray, "m k"]]:
        """What Top-K kept of several images: latents and activations, strongest first, also those not active."""
        rows = self._rows(image_ids)
        return self._indices[rows].astype(np.int64), np.array(self._activations[rows])

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
            redacted_record(number)
            if self.is_hidden(number)
            else ImageRecord(image_id=number, title=titles[codes[number]] if codes[number] >= 0 else None, **row)
            for number, row in zip(numbers, self._images.rows(numbers), strict=True)
        ]

    def is_hidden(self, image_id: int) -> bool:
        """Whether the hide-list withholds an image, itself or with its label."""
        self._check(image_id, self.n_images, "image")
        return bool(self.hidden) and self.hidden.picture(image_id, int(self.labels.codes[image_id]))

    def check_shown(self, image_id: int) -> None:
        """Raises WithheldError where an image is hidden."""
        if self.is_hidden(image_id):
            raise WithheldError(f"picture {image_id:,} is withheld by those who share this store")

    def images_where(
        self, all_of: Sequence[int] = (), any_of: Sequence[int] = (), none_of: Sequence[int] = ()
    ) -> Matches:
        """Images in which all of `all_of`, one of `any_of` (where given) and none of `none_of` are active.

        Strongest first: by the smallest activation among `all_of`, without those by the largest among `any_of`.
        Raises SparsightError where both are empty, WithheldError where one of the latents is hidden.
        """
        for latent in (*all_of, *any_of, *none_of):
            self._check(latent, self.n_latents, "latent")
        self.check_latents_shown((*all_of, *any_of, *none_of))
        return search.images_where(self.gallery, self.n_images, all_of, any_of, none_of)

    @cached_property
    def labels(self) -> LabelColumn:
        """Labels of all images as codes (memory-mapped), and what the codes mean."""
        return redacted_labels(self._files.labels(), self.hidden)

    def embedding(self, image_id: int) -> Float32[np.ndarray, "d_embed"]:
        """The unit embedding of an image. Raises WithheldError where the image is hidden."""
        self.check_shown(image_id)
        embedding: np.ndarray = rows_of(self._embeddings, [image_id])[0]
        return embedding

    def embeddings(self, image_ids: Sequence[int] | np.ndarray) -> Float32[np.ndarray, "m d_embed"]:
        """The unit embeddings of several images."""
        return rows_of(self._embeddings, self._rows(image_ids))

    def images_of_label(self, code: int) -> Int64[np.ndarray, "m"]:
        """All images that carry a label, by its code."""
        self._check(code, len(self.labels.names), "label")
        return np.flatnonzero(self.labels.codes == code).astype(np.int64)

    def nearest_images(self, embedding: Float32[np.ndarray, "d_embed"], n: int) -> Neighbours:
        """The n images whose embeddings are most similar (cosine).

        Exact in a store with a flat index, and wherever a GPU has room for the embeddings; otherwise, of many images,
        short codes name the candidates, whose cosines are then exact.
        """
        query = np.asarray(embedding)
        search.check_width(query, self.manifest.d_embed)
        return self.nearest_images_of_each(query[None], n)[0]

    def nearest_images_of_each(self, embeddings: Float32[np.ndarray, "m d_embed"], n: int) -> list[Neighbours]:
        """The same of each of several embeddings, in less time than one after the other where there are many images."""
        n = min(n, self.n_images)
        if 0 < n <= search.MOST_ON_GPU and self._on_gpu is not None:
            return search.on_gpu_of_each(self._on_gpu, self._embeddings, embeddings, n)
        if search.is_exact(self._image_index):
            return search.nearest_of_each(self._image_index, embeddings, n)
        return search.refined_of_each(self._image_index, self._embeddings, embeddings, n)

    def thumbnail(self, image_id: int) -> Thumbnail | None:
        """The small picture of an image: the store's own, or, where that is none or tiny, of the viewer's copy.

        None of a hidden one.
        """
        if self.is_hidden(image_id):
            return None
        if self._originals and (self.manifest.thumbnail_side or 0) < _TINY:
            return self._originals.thumbnail(self.image(image_id)) or self._stored(image_id)
        return self._stored(image_id)

    def original(self, image_id: int) -> Image.Image | None:
        """The picture as it was indexed, RGB, from the viewer's own copy; None where there is none."""
        if self._originals is None or self.is_hidden(image_id):
            return None
        return self._originals.picture(self.image(image_id))

    def has_original(self, image_id: int) -> bool | None:
        """Whether the viewer's own copy has an image, as it was indexed; None where no copy is named."""
        if self._originals is None:
            return None
        return not self.is_hidden(image_id) and self._originals.has(self.image(image_id))

    def _stored(self, image_id: int) -> Thumbnail | None:
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
        """Whether there are pictures to show: the store's, or those of the viewer's own copy."""
        return self._thumbnails is not None or self._originals is not None

    def _rows(self, image_ids: Sequence[int] | np.ndarray) -> Int64[np.ndarray, "m"]:
        rows = np.asarray(image_ids, dtype=np.int64).reshape(-1)
        for row in rows[(rows < 0) | (rows >= self.n_images)]:
            self._check(int(row), self.n_images, "image")
        return rows

    @cached_property
    def _on_gpu(self) -> GpuVectors | None:
        return GpuVectors.of(self._embeddings)

    @cached_property
    def _image_index(self) -> Any:
        return self._files.index(layout.IMAGE_INDEX, self.n_images)
