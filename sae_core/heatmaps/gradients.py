"""Integrated gradients (Sundararajan, Taly and Yan, arXiv 1703.01365) of a pre-activation, over pixels.

    IG_i(x) = (x_i - x'_i) * integral over t in [0, 1] of  d f(x' + t (x - x')) / d x_i

with the mean colour as x'. Completeness: the sum over all i is f(x) - f(x'), but for the error of the integral, which
is taken by the midpoint rule in m steps. Encoders often change most just beside x' (the first 6 % of the way bring
more than half of the change in the demonstration's), so the steps are even in u with t = u^3, which puts more of them
there. It is the same integral; only its error is smaller.
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
POWER = 3
_BATCH = 4  # a backward pass keeps every layer's output


def integrated_gradients(
    encoder: ClipEncoder,
    pixels: UInt8[np.ndarray, "crop crop 3"],
    weight: Float[np.ndarray, "d_embed"],
    steps: int = STEPS,
    power: int = POWER,
    batch_size: int = _BATCH,
) -> Iterator[Float[np.ndarray, "crop crop"]]:
    """Shares of the attribution, batch by batch; their sum is the attribution of each pixel (channels added up).

    Steps lie at t = u^power for even u; 1 is the plain midpoint rule. Raises EncoderError where the encoder gives no
    gradients. A caller that stops asking stops the computation.
    """
    picture = torch.from_numpy(pixels.astype(np.float32))
    baseline = torch.from_numpy(encoder.preprocessing.mean_colour.astype(np.float32)).expand_as(picture)
    difference = (picture - baseline).double().numpy()
    column = torch.from_numpy(np.asarray(weight, dtype=np.float32))
    for u in ((torch.arange(steps) + 0.5) / steps).split(batch_size):
        between = baseline + (u**power).view(-1, 1, 1, 1) * (picture - baseline)
        gradients = _gradients(encoder, between, column).double()
        lengths = power * u.double() ** (power - 1) / steps  # of each step in t
        yield (torch.einsum("bhwc,b->hwc", gradients, lengths).numpy() * difference).sum(-1)


def _gradients(
    encoder: ClipEncoder, pixels: Float[Tensor, "b crop crop 3"], column: Float[Tensor, "d_embed"]
) -> Float[Tensor, "b crop crop 3"]:
    with torch.enable_grad():
        seen = pixels.clone().requires_grad_()
        score = (encoder.embed(seen) @ column).sum()
        if not score.requires_grad:
            raise EncoderError(f"the encoder {encoder.reference} gives no gradients: take the occlusion map instead")
        return torch.autograd.grad(score, seen)[0]
