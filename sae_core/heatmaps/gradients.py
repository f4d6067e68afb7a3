"""Integrated gradients (Sundararajan, Taly and Yan, arXiv 1703.01365) of a pre-activation, over pixels.

    IG_i(x) = (x_i - x'_i) * integral over t in [0, 1] of  d f(x' + t (x - x')) / d x_i

with the mean colour as x'. Completeness: the sum over all i is f(x) - f(x'), but for the error of the integral, which
is taken by the midpoint rule in m steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from sae_core.encoder.clip import ClipEncoder
from sae_core.errors import EncoderError

STEPS = 32
_BATCH = 4  # a backward pass keeps every layer's output


def integrated_gradients(
    encoder: ClipEncoder,
    pixels: UInt8[np.ndarray, "crop crop 3"],
    weight: Float[np.ndarray, "d_embed"],
    steps: int = STEPS,
    batch_size: int = _BATCH,
) -> Iterator[Float[np.ndarray, "crop crop"]]:
    """Shares of the attribution, batch by batch; their sum is the attribution of each pixel (channels added up).

    Raises EncoderError where the encoder gives no gradients. A caller that stops asking stops the computation.
    """
    picture = torch.from_numpy(pixels.astype(np.float32))
    baseline = torch.from_numpy(encoder.preprocessing.mean_colour.astype(np.float32)).expand_as(picture)
    difference = (picture - baseline).double().numpy()
    column = torch.from_numpy(np.asarray(weight, dtype=np.float32))
    midpoints = (torch.arange(steps) + 0.5) / steps
    for times in midpoints.split(batch_size):
        between = baseline + times.view(-1, 1, 1, 1) * (picture - baseline)
        gradients = _gradients(encoder, between, column)
        yield (gradients.double().sum(0).numpy() * difference).sum(-1) / steps


def _gradients(
    encoder: ClipEncoder, pixels: Float[Tensor, "b crop crop 3"], column: Float[Tensor, "d_embed"]
) -> Float[Tensor, "b crop crop 3"]:
    with torch.enable_grad():
        seen = pixels.clone().requires_grad_()
        score = (encoder.embed(seen) @ column).sum()
        if not score.requires_grad:
            raise EncoderError(f"the encoder {encoder.reference} gives no gradients: take the occlusion map instead")
        return torch.autograd.grad(score, seen)[0]
