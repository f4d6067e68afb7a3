"""Another SAE on stored embeddings, against encoding the pictures again: `python -m benchmarks.recoding`.

Codes of random unit embeddings (what they are does not change the time), in turns with the encoder alone on ready-made
pixels: the demonstration's, and ViT-B/16 with random weights. Reading and decoding pictures would come on top.
"""

from __future__ import annotations

import statistics

import torch
import tyro

from benchmarks.clock import clocked
from benchmarks.machine import machine
from benchmarks.vits import vit
from sae_core import ClipEncoder
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import TopKSAE

_BATCH = 64


def main(images: int = 65_536, n_latents: int = 4_096, k: int = 16, rounds: int = 5) -> None:
    """Prints the ratio for both encoders: medians over the rounds."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    sae = TopKSAE(SAEConfig(512, n_latents, k)).to(device)
    sae.W_enc.copy_(torch.randn(512, n_latents))
    x = torch.nn.functional.normalize(torch.randn(images, 512), dim=1).to(device)
    print(f"{machine()}; {n_latents:,} latents, k {k}, {device}")
    for name, encoder in (("demo", ClipEncoder.load("demo", device)), ("ViT-B/16, random weights", vit())):
        ratio, rate = measured(encoder, sae, x, rounds)
        print(f"  {name}: codes are {ratio:,.0f} times as fast as the encoder; a million codes in {1e6 / rate:.0f} s")


def measured(encoder: ClipEncoder, sae: TopKSAE, x: torch.Tensor, rounds: int) -> tuple[float, float]:
    """Codes a second over pictures a second, and codes a second."""
    crop, device = encoder.preprocessing.crop, x.device.type
    pixels = torch.zeros(_BATCH, crop, crop, 3, dtype=torch.uint8)
    ratios, rates = [], []
    for _ in range(rounds):
        rates.append(len(x) / clocked(lambda: sae.encode(x), device))
        ratios.append(rates[-1] * clocked(lambda: encoder.encode_pixels(pixels), device) / _BATCH)
    return statistics.median(ratios), statistics.median(rates)


if __name__ == "__main__":
    tyro.cli(main)
