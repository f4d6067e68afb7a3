"""An encoder whose maps are known by hand, and a tiny real one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sae_core import ClipEncoder
from sae_core.encoder.preprocessing import Preprocessing
from tests.support.models import make_tiny_clip
from tests.support.pictures import picture

SIDE = 8


class LinearEncoder:
    """Embedding = normalised pixels times a matrix, and no unit norm: every pixel's share is its own product."""

    reference = "linear"

    def __init__(self, side: int = SIDE, d_embed: int = 3, seed: int = 0) -> None:
        self.preprocessing = Preprocessing(resize=side, crop=side, mean=(0.4, 0.2, 0.6), std=(0.5, 0.25, 1.0))
        self.matrix = np.random.default_rng(seed).normal(size=(side, side, 3, d_embed))
        self.n_encoded = 0

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        x = self.preprocessing.normalise(pixels).permute(0, 2, 3, 1).double()
        return torch.einsum("nhwc,hwcd->nd", x, torch.from_numpy(self.matrix)).float()

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        self.n_encoded += len(pixels)
        return self.embed(pixels)

    def shares(self, pixels: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """What each pixel adds to the score beyond the mean colour, [side, side]: the truth."""
        mean, std = np.array(self.preprocessing.mean) * 255, np.array(self.preprocessing.std) * 255
        fill = np.rint(mean)
        return (((pixels - mean) / std - (fill - mean) / std)[..., None] * self.matrix).sum(2) @ weight


@pytest.fixture
def linear() -> LinearEncoder:
    return LinearEncoder()


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture
def weight() -> np.ndarray:
    return np.array([1.0, -2.0, 0.5], dtype=np.float32)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ClipEncoder:
    return ClipEncoder.load(make_tiny_clip(tmp_path_factory.mktemp("clip")))


@pytest.fixture(scope="session")
def seen(clip: ClipEncoder) -> np.ndarray:
    """What the tiny encoder sees of a picture."""
    return clip.preprocessing.crop_pixels(picture(4)[1])


@pytest.fixture(scope="session")
def column() -> np.ndarray:
    """A latent's encoder column, [32]."""
    return np.random.default_rng(5).normal(size=32).astype(np.float32)
