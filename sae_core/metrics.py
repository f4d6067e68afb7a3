"""How well reconstructions agree with embeddings. Streaming: the data set is never held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Fidelity:
    """How much of the embeddings the SAE keeps."""

    fvu: float  # fraction of variance unexplained: sum |x - x_hat|^2 / sum |x - mean(x)|^2; 1 is the mean's own
    cosine: float  # mean cosine between embedding and reconstruction
    random_pair_cosine: float  # the same with a random other image's reconstruction: the baseline
    l0: float  # mean number of active latents (activation > 0) per image


@dataclass
class FidelityMeter:
    """Accumulates Fidelity over batches, in float64."""

    n: int = 0
    _error: float = 0.0
    _square: float = 0.0
    _cosine: float = 0.0
    _active: float = 0.0
    _sum: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def add(
        self,
        x: Float[Tensor, "n d_embed"],
        x_hat: Float[Tensor, "n d_embed"],
        activations: Float[Tensor, "n k"],
    ) -> None:
        """Takes one batch."""
        x, x_hat = x.double(), x_hat.double()
        self.n += len(x)
        self._error += float((x - x_hat).square().sum())
        self._square += float(x.square().sum())
        self._cosine += float(F.cosine_similarity(x, x_hat).sum())
        self._active += float((activations > 0).sum())
        total = x.sum(0).numpy()
        self._sum = total if self._sum.size == 0 else self._sum + total

    def result(self, random_pairs: float) -> Fidelity:
        """Figures over everything added, with the baseline from `random_pair_cosine`.

        FVU is NaN where all embeddings are one: there is no variance to explain.
        """
        if self.n == 0:
            return Fidelity(*[float("nan")] * 4)
        variance = self._square - float(self._sum @ self._sum) / self.n
        fvu = self._error / variance if variance > 1e-9 * max(self._square, 1.0) else float("nan")
        return Fidelity(fvu, self._cosine / self.n, random_pairs, self._active / self.n)


def random_pair_cosine(x: Float[Tensor, "n d_embed"], x_hat: Float[Tensor, "n d_embed"]) -> float:
    """Mean cosine of embeddings with the reconstructions of other images, each of a seeded random cycle.

    The rows must be spread over the data set: neighbours in a sorted source are often of one class, not random.
    """
    if len(x) < 2:
        return float("nan")
    order = np.random.default_rng(0).permutation(len(x))
    return float(F.cosine_similarity(x[order].double(), x_hat[np.roll(order, 1)].double()).mean())


def fidelity(
    x: Float[Tensor, "n d_embed"], x_hat: Float[Tensor, "n d_embed"], activations: Float[Tensor, "n k"]
) -> Fidelity:
    """Fidelity of one batch."""
    meter = FidelityMeter()
    with torch.no_grad():
        meter.add(x, x_hat, activations)
    return meter.result(random_pair_cosine(x, x_hat))
