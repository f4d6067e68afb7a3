"""Test-time training of a linear head on a neighbourhood, as in arXiv 2509.24510, against the global head.

The authors' code copies the global head and takes 50 full-batch steps of Adam on the cross entropy of the nearest
training images. Theirs is trained by gradient descent, ours is a discriminant in closed form, whose weights have
another scale: the step is a share of their root mean square.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch.nn import functional as F

from sae_core.linear_heads import Head, log_loss

N_STEPS = 50
STEP = 3e-4  # of the weights' root mean square


class Judged(NamedTuple):
    """What a head says of held-out images."""

    correct: Float64[np.ndarray, "n"]  # 1 where the most likely label is the right one
    losses: Float64[np.ndarray, "n"]  # cross entropy, nats


class LocalWeights(NamedTuple):
    """A head over any features."""

    weights: Float64[np.ndarray, "m f"]
    bias: Float64[np.ndarray, "m"]


def fit_local(start: LocalWeights, features: np.ndarray, rows: Int64[np.ndarray, "n"]) -> LocalWeights:
    """N_STEPS full-batch steps of Adam on the cross entropy of `features [n, f]`, from `start`, which is not changed.

    `rows` are the true rows of the head. Deterministic: nothing is drawn.
    """
    weights, bias = (torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in start)
    x, wanted = torch.from_numpy(np.asarray(features, dtype=np.float64)), torch.from_numpy(rows)
    step = STEP * float(weights.detach().square().mean().sqrt())
    optimiser = torch.optim.Adam([weights, bias], lr=step)
    for _ in range(N_STEPS):
        optimiser.zero_grad()
        F.cross_entropy(x @ weights.T + bias, wanted).backward()
        optimiser.step()
    return LocalWeights(weights.detach().numpy(), bias.detach().numpy())


def through_decoder(head: Head, rows: np.ndarray, bias: np.ndarray) -> LocalWeights:
    """The same head on sparse codes: decoding is linear, so `z @ rows + bias` has logits linear in z.

    `rows [m, d_embed]` are the decoder's rows of the latents that count as features, `bias [d_embed]` its bias.
    """
    return LocalWeights(head.weights @ np.asarray(rows, np.float64).T, head.bias + head.weights @ bias)


def judge(head: LocalWeights | Head, features: np.ndarray, rows: Int64[np.ndarray, "n"]) -> Judged:
    """Accuracy and cross entropy, an image at a time."""
    logits = np.asarray(features, np.float64) @ head.weights.T + head.bias
    return Judged((logits.argmax(1) == rows).astype(np.float64), log_loss(logits, rows))
