"""Images that are sums of an SAE's own directions: their embeddings, their labels, and the SAE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import TopKSAE

_CHUNK = 8_192
_CONE = 0.75  # weight of the part that all embeddings share: random pairs have a cosine around 0.4, as CLIP's
_OF_CLASS, _OF_ANYBODY, _NOISE = 10, 8, 0.35
_CLASS_LATENTS = 40


@dataclass(frozen=True)
class Settings:
    """What is made."""

    out: Path
    """The store to write."""
    images: int = 1_280_000
    """Number of images."""
    latents: int = 4_096
    """Number of latents."""
    k: int = 16
    """Activations kept per image."""
    d_embed: int = 512
    """Width of embeddings."""
    classes: int = 1_000
    """Number of labels."""


class World:
    """The SAE and the classes that images are made of; everything seeded."""

    def __init__(self, settings: Settings) -> None:
        rng = np.random.default_rng(0)
        n, d = settings.latents, settings.d_embed
        self.directions = _unit(rng.standard_normal((n, d)))
        self.cone = _CONE * _unit(rng.standard_normal((1, d)))[0]
        popularity = 1 / (10 + rng.permutation(n))
        self.popularity = popularity / popularity.sum()
        self.classes = np.stack(
            [rng.choice(n, min(_CLASS_LATENTS, n), replace=False, p=self.popularity) for _ in range(settings.classes)]
        )
        self.sae = TopKSAE(SAEConfig(d_embed=d, n_latents=n, k=settings.k, decoder_bias=True))
        self.sae.W_enc.data = torch.from_numpy(self.directions.T.copy())
        self.sae.W_dec.data = torch.from_numpy(self.directions)
        self.sae.b_enc.data = torch.from_numpy(-self.directions @ self.cone)
        assert self.sae.b_dec is not None
        self.sae.b_dec.data = torch.from_numpy(self.cone)

    def embeddings(self, first_id: int, labels: np.ndarray) -> np.ndarray:
        """Unit embeddings of the next images, given their labels."""
        rng = np.random.default_rng([1, first_id])
        n, width = len(labels), self.classes.shape[1]
        chosen = np.argpartition(rng.random((n, width)), _OF_CLASS, axis=1)[:, :_OF_CLASS]
        of_class = np.take_along_axis(self.classes[labels], chosen, axis=1)
        of_anybody = rng.choice(len(self.popularity), (n, _OF_ANYBODY), p=self.popularity)
        latents = torch.from_numpy(np.concatenate([of_class, of_anybody], axis=1))
        strengths = torch.from_numpy(0.25 * rng.lognormal(0, 0.5, latents.shape).astype(np.float32))
        x = F.embedding_bag(latents, self.sae.W_dec, per_sample_weights=strengths, mode="sum").numpy()
        x += self.cone + _NOISE * _unit(rng.standard_normal(x.shape))
        return _unit(x)

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """A class's title is the mean of its latents; any other text points anywhere."""
        rows = []
        for text in texts:
            rng = np.random.default_rng(list(text.encode()))
            noise = rng.standard_normal(self.directions.shape[1])
            number = text.removeprefix("class ")
            known = number.isdigit() and int(number) < len(self.classes)
            rows.append(8 * self.directions[self.classes[int(number)]].sum(0) + noise if known else noise)
        return _unit(np.stack(rows))


def _unit(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x / np.linalg.norm(x, axis=1, keepdims=True), dtype=np.float32)


def labels_of(settings: Settings, start: int, stop: int) -> np.ndarray:
    """Sorted by class, as ImageNet's folders are."""
    return np.arange(start, stop) * settings.classes // settings.images


def chunks(n: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK))
