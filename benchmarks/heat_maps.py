"""What a heat map costs, in encodings of the same picture: `python -m benchmarks.heat_maps`.

For the demonstration's encoder and for ViT-B/16 with random weights (its speed does not depend on them): each map's
time as a multiple of one encoding, measured in turns so that a busy machine slows both alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import tyro

from benchmarks.clock import clocked
from benchmarks.machine import machine
from benchmarks.vits import vit
from sae_core import ClipEncoder
from sae_core.heatmaps import deletion_curves, grid_of, integrated_gradients, occluded_embeddings, random_order

N_ENCODINGS = 10  # beside each map, one after the other
N_ORDERS = 11  # as the app's deletion test has them: two maps, from the centre, eight at random
Work = Callable[[], object]


def main(rounds: int = 3) -> None:
    """Prints a line an encoder and map: the median and range over the rounds."""
    print(machine())
    for name, encoder in (("demo", ClipEncoder.load("demo")), ("ViT-B/16, random weights", vit())):
        crop = encoder.preprocessing.crop
        pixels = np.random.default_rng(0).integers(0, 256, (crop, crop, 3), dtype=np.uint8)
        encode = encoding(encoder, pixels)
        encode()  # the first one is slow
        for what, compute in maps(encoder, pixels).items():
            print(f"  {name}: {what}: {measured(encode, compute, rounds)}")


def measured(encode: Work, compute: Work, rounds: int) -> str:
    """A map against encodings beside it."""
    ones, wholes = [], []
    for _ in range(rounds):
        ones.append(clocked(encode) / N_ENCODINGS)
        wholes.append(clocked(compute))
    ratios = np.array(wholes) / np.array(ones)
    return (
        f"{np.median(ratios):.0f} encodings ({ratios.min():.0f} … {ratios.max():.0f}), "
        f"{np.median(wholes):.1f} s; one encoding {1000 * np.median(ones):.0f} ms"
    )


def encoding(encoder: ClipEncoder, pixels: np.ndarray) -> Work:
    """The picture alone, several times."""
    whole = torch.from_numpy(pixels[None])
    return lambda: [encoder.encode_pixels(whole) for _ in range(N_ENCODINGS)]


def maps(encoder: ClipEncoder, pixels: np.ndarray) -> dict[str, Work]:
    """What the app computes, as it does."""
    grid, weight = grid_of(len(pixels)), np.ones(encoder.d_embed, dtype=np.float32)
    orders = [random_order(grid, seed) for seed in range(N_ORDERS)]
    return {
        "occlusion, all latents": lambda: list(occluded_embeddings(encoder, pixels, grid)),
        "integrated gradients, one latent": lambda: list(integrated_gradients(encoder, pixels, weight, batch_size=1)),
        "deletion test beyond both maps": lambda: list(deletion_curves(encoder, pixels, orders, weight, 0.0, grid)),
    }


if __name__ == "__main__":
    tyro.cli(main)
