"""Why a text scores as it does with a picture: its CLIP score split exactly over the sparse code; and edited codes.

With the picture's unit embedding x, everything that Top-K kept (a_i, also where a_i <= 0), decoder rows d_i and bias b:

    x_hat = sum_i a_i d_i + b
    <x, t> = sum_i a_i <d_i, t>  +  <b, t>  +  <x - x_hat, t>

The decoder is linear and the embedding pooled, so this holds exactly for every text t: no approximation, no gradients.
x_hat is not of unit norm: the cosine of reconstruction and text is the first two terms divided by |x_hat|. All in
float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int64

from sae_core.errors import SparsightError
from sae_core.store.records import KeptCode

_NOTHING = 1e-6  # a length that embeddings of 32 bits do not resolve


class Fit(NamedTuple):
    """How much of one embedding its code rebuilds."""

    cosine: float  # between embedding and reconstruction
    fvu: float  # |x - x_hat|^2 / |x - mean|^2; nan where x is the mean
    norm: float  # |x_hat|; the embedding's own is 1


class ScoreParts(NamedTuple):
    """Parts that add up: latent_parts.sum(1) + bias + residual = scores."""

    latents: Int64[np.ndarray, "k"]  # as in the code
    latent_parts: Float64[np.ndarray, "n_texts k"]
    bias: Float64[np.ndarray, "n_texts"]
    residual: Float64[np.ndarray, "n_texts"]  # what the code does not hold
    scores: Float64[np.ndarray, "n_texts"]  # <x, t>: cosines

    @property
    def rebuilt(self) -> Float64[np.ndarray, "n_texts"]:
        """<x_hat, t>, not renormalised."""
        return np.asarray(self.latent_parts.sum(1) + self.bias)


class Edited(NamedTuple):
    """An embedding whose code was changed."""

    embedding: Float64[np.ndarray, "d"]  # unit
    norm: float  # before it was made unit


def reconstruct(
    code: KeptCode, decoder_rows: Float[np.ndarray, "n_latents d"], decoder_bias: Float[np.ndarray, "d"]
) -> Float64[np.ndarray, "d"]:
    """x_hat, not renormalised."""
    rows = decoder_rows[code.latents].astype(np.float64)
    return np.asarray(code.activations.astype(np.float64) @ rows + decoder_bias)


def fit(embedding: Float[np.ndarray, "d"], reconstruction: Float[np.ndarray, "d"], mean: Float[np.ndarray, "d"]) -> Fit:
    """`mean` is the mean embedding of all pictures, what the FVU compares with."""
    x = np.asarray(embedding, dtype=np.float64)
    length, norm = float(np.linalg.norm(x)), float(np.linalg.norm(reconstruction))
    cosine = float(x @ reconstruction) / (length * norm) if length * norm > 0 else 0.0
    spread = float(((x - mean) ** 2).sum())
    fvu = float(((x - reconstruction) ** 2).sum()) / spread if spread > 0 else float("nan")
    return Fit(cosine, fvu, norm)


def score_parts(
    embedding: Float[np.ndarray, "d"],
    code: KeptCode,
    texts: Float[np.ndarray, "n_texts d"],
    decoder_rows: Float[np.ndarray, "n_latents d"],
    decoder_bias: Float[np.ndarray, "d"],
) -> ScoreParts:
    """The scores of one embedding with unit text embeddings, by latent, bias and residual."""
    x, t = np.asarray(embedding, dtype=np.float64), np.asarray(texts, dtype=np.float64)
    rows = decoder_rows[code.latents].astype(np.float64)
    return ScoreParts(
        latents=code.latents,
        latent_parts=code.activations.astype(np.float64) * (t @ rows.T),
        bias=t @ np.asarray(decoder_bias, dtype=np.float64),
        residual=t @ (x - reconstruct(code, decoder_rows, decoder_bias)),
        scores=t @ x,
    )


def edited(
    embedding: Float[np.ndarray, "d"],
    code: KeptCode,
    changes: dict[int, float],
    decoder_rows: Float[np.ndarray, "n_latents d"],
) -> Edited:
    """x + sum_i (new_i - a_i) d_i over the changed latents (a_i = 0 where Top-K did not keep one), made unit.

    The bias and the residual stay as they are: only what is changed moves. Raises SparsightError where nothing is left.
    """
    was = dict(zip(code.latents.tolist(), code.activations.tolist(), strict=True))
    latents = np.array(list(changes), dtype=np.int64)
    steps = np.array([value - was.get(latent, 0.0) for latent, value in changes.items()], dtype=np.float64)
    moved = np.asarray(embedding, dtype=np.float64) + steps @ decoder_rows[latents].astype(np.float64)
    norm = float(np.linalg.norm(moved))
    if not np.isfinite(norm) or norm < _NOTHING:
        raise SparsightError("this edit leaves nothing of the embedding; reset a latent")
    return Edited(moved / norm, norm)


def store_scores(
    texts: Float[np.ndarray, "n_texts d"],
    mean: Float[np.ndarray, "d"],
    products: Float[np.ndarray, "d d"],
    n_images: int,
) -> tuple[Float64[np.ndarray, "n_texts"], Float64[np.ndarray, "n_texts"]]:
    """Mean and standard deviation of texts' scores over all pictures, from the sums of outer products x x^T."""
    t = np.asarray(texts, dtype=np.float64)
    means = t @ mean
    variances = ((t @ products) * t).sum(1) / n_images - means**2
    return means, np.sqrt(np.maximum(variances, 0))
