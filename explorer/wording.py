"""Numbers and names as people read them. One word for one thing, written the same way everywhere."""

from __future__ import annotations

import math

NBSP = "\u00a0"

DEFINITIONS = {
    "density": "Density: the share of the store's pictures in which the latent is active. "
    "Baseline: {even}, if all latents were active equally often. The bar is logarithmic, 0.01 % to 100 %.",
    "purity": "Label purity: the share of the gallery that carries its most common label. "
    "Baseline: that label's share in the whole store.",
    "activation": "Activation: the latent's value after Top-K; active means above 0. "
    "Baseline: 0, in all other pictures.",
    "score": "Name score: how well the name fits the gallery, as measured when the name was chosen. Baseline: 0.",
    "fvu": "FVU: fraction of the embeddings' variance that the SAE's reconstruction leaves unexplained. "
    "Baseline: 1, for always answering with the mean embedding.",
    "cosine": "Mean cosine between an embedding and its reconstruction. "
    "Baseline: {random}, between two random pictures.",
    "l0": "L0: mean number of active latents per picture. Baseline: k = {k}, the most that Top-K lets through.",
    "dead": "Dead latents: active in no picture of this store. Baseline: 0, an SAE that uses all of its latents here.",
    "labels": "Share of the gallery that carries the label. Baseline, behind it: the label's share in the whole store.",
    "similar": "Cosine between the directions (decoder rows) of two latents. Baseline: about 0 for random directions.",
    "nearest": "Cosine between the CLIP embeddings of two pictures. Baseline: {random}, between two random pictures.",
    "reconstruction": "Cosine between this picture's embedding and what its sparse code rebuilds. "
    "Baselines: the store's mean {mean}, and {random} between two random pictures.",
}


def count(n: int) -> str:
    """4973 -> `4,973`."""
    return f"{n:,}"


def plural(n: int, noun: str) -> str:
    """`1 picture`, `4,973 pictures`."""
    return f"{n:,}{NBSP}{noun}{'' if n == 1 else 's'}"


def percent(share: float) -> str:
    """0.008 -> `0.8 %`: two figures below ten, whole ones above, never a rounded zero."""
    if not math.isfinite(share):
        return "–"
    value = 100 * share
    if value == 0 or value >= 10:
        return f"{value:.0f}{NBSP}%"
    return (
        f"{value:.1f}{NBSP}%" if value >= 0.095 else f"{value:.2g}{NBSP}%" if value >= 0.001 else f"<{NBSP}0.001{NBSP}%"
    )


def figure(value: float, digits: int = 2) -> str:
    """A number with fixed digits; a dash where there is none."""
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else "–"


def activation(value: float) -> str:
    """Three figures or so: activations of one SAE are around 0.1, of another around 10."""
    return figure(value, 3 if abs(value) < 1 else 2)


def latent_text(latent: int, name: str | None, density: float) -> str:
    """`#123 · citrus slices · 0.8 %`: number, name or "unnamed", density."""
    return f"#{latent} · {name or 'unnamed'} · {percent(density)}"
