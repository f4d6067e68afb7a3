"""The cosine of two pictures, or of two sets' mean embeddings, split exactly over latents.

With x = sum_i a_i row_i + b + r_x and y = sum_i c_i row_i + b + r_y (decoder rows, bias, what the code leaves):

    <x, y> = sum_i (a_i <row_i, y> + c_i <row_i, x>) / 2  +  <b, x + y> / 2  +  (<r_x, y> + <r_y, x>) / 2

The two halves make it symmetric: neither picture is the one that is read. Everything is linear in embeddings and
activations, so that it holds for the means of sets too; divided by |x| |y| it adds up to the cosine. All in float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int, Int64


class MeanCode(NamedTuple):
    """Mean embedding and mean activations of a set of pictures."""

    embedding: Float64[np.ndarray, "d"]  # not unit, unless the set is one picture
    latents: Int64[np.ndarray, "m"]  # those that Top-K kept in any picture, rising
    activations: Float64[np.ndarray, "m"]  # means over the set; where Top-K did not keep it, 0 counts


class CosineParts(NamedTuple):
    """Parts that add up: sum(latent_parts) + bias + residual = cosine."""

    latents: Int64[np.ndarray, "u"]  # kept on either side, rising
    latent_parts: Float64[np.ndarray, "u"]
    bias: float
    residual: float  # what neither code holds
    cosine: float  # 0 where a mean embedding is 0


def mean_code(
    embeddings: Float[np.ndarray, "n d"], indices: Int[np.ndarray, "n k"], activations: Float[np.ndarray, "n k"]
) -> MeanCode:
    """The mean of n pictures' embeddings and of all that Top-K kept of them; places of activation 0 are empty."""
    kept = np.asarray(activations) != 0
    latents, where = np.unique(np.asarray(indices)[kept], return_inverse=True)
    sums = np.bincount(where.ravel(), np.asarray(activations, dtype=np.float64)[kept], minlength=len(latents))
    return MeanCode(np.asarray(embeddings, dtype=np.float64).mean(0), latents.astype(np.int64), sums / len(embeddings))


def cosine_parts(
    x: MeanCode, y: MeanCode, decoder_rows: Float[np.ndarray, "n_latents d"], decoder_bias: Float[np.ndarray, "d"]
) -> CosineParts:
    """The cosine of two mean embeddings, by latent; symmetric in x and y."""
    latents = np.union1d(x.latents, y.latents)
    rows, bias = decoder_rows[latents].astype(np.float64), np.asarray(decoder_bias, dtype=np.float64)
    a, c = activations_of(x, latents), activations_of(y, latents)
    scale = float(np.linalg.norm(x.embedding) * np.linalg.norm(y.embedding))
    half = 0.5 / scale if scale > 0 else 0.0
    left_x, left_y = (one.embedding - code @ rows - bias for one, code in ((x, a), (y, c)))
    return CosineParts(
        latents=latents,
        latent_parts=half * (a * (rows @ y.embedding) + c * (rows @ x.embedding)),
        bias=half * float(bias @ (x.embedding + y.embedding)),
        residual=half * float(left_x @ y.embedding + left_y @ x.embedding),
        cosine=2 * half * float(x.embedding @ y.embedding),
    )


def activations_of(code: MeanCode, latents: Int[np.ndarray, "u"]) -> Float64[np.ndarray, "u"]:
    """Mean activations of given latents; 0 where Top-K kept them in no picture."""
    if not len(code.latents):
        return np.zeros(len(latents))
    at = np.minimum(np.searchsorted(code.latents, latents), len(code.latents) - 1)
    return np.where(code.latents[at] == latents, code.activations[at], 0.0)
