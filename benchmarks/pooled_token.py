"""The last block for the pooled token alone against open_clip's whole one: `python -m benchmarks.pooled_token`."""

from __future__ import annotations

import copy
import statistics
import time

import torch
import tyro
from open_clip.transformer import ResidualAttentionBlock
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.machine import machine
from benchmarks.vits import vit
from sae_core import ClipEncoder
from sae_core.allocator import keep_freed_memory
from sae_core.encoder.preprocessing import Precision


def main(rounds: int = 12, pictures: int = 32, device: str = "cpu") -> None:
    """Prints ratios of operations and of times of ViT-B/16, random weights, in turns, and how far embeddings differ."""
    keep_freed_memory()
    print(f"{machine()}; {device}, {pictures} pictures a round")
    halves: tuple[Precision, ...] = ("fp32", "bf16") if device == "cpu" else ("fp32", "fp16")
    for precision in halves:
        ours = vit(device, precision)
        whole = copy.copy(ours)
        whole.model = copy.deepcopy(ours.model)
        whole.model.visual.transformer.resblocks[-1].__class__ = ResidualAttentionBlock
        if precision == "fp32":
            print(f"  floating-point operations: {operations(ours) / operations(whole):.3f}")
        turns = [one_round(ours, whole, pictures) for _ in range(rounds + 1)][1:]  # the first one is slow
        low, middle, high = statistics.quantiles(turn[0] for turn in turns)
        apart = max(turn[1] for turn in turns)
        print(f"  {precision}: {middle:.3f} of the time ({low:.3f} to {high:.3f}); largest difference {apart:.1g}")


def one_round(ours: ClipEncoder, whole: ClipEncoder, pictures: int) -> tuple[float, float]:
    """The ratio of times, and the largest difference of a coordinate."""
    crop = ours.preprocessing.crop
    pixels = torch.randint(0, 256, (pictures, crop, crop, 3), dtype=torch.uint8)
    began = time.perf_counter()
    made = ours.encode_pixels(pixels)
    turned = time.perf_counter()
    theirs = whole.encode_pixels(pixels)
    ended = time.perf_counter()
    return (turned - began) / (ended - turned), float((made - theirs).abs().max())


def operations(clip: ClipEncoder) -> int:
    """Those of one picture's matrix products, counted."""
    crop = clip.preprocessing.crop
    with FlopCounterMode(display=False) as counter:
        clip.encode_pixels(torch.zeros(1, crop, crop, 3, dtype=torch.uint8))
    return int(counter.get_total_flops())


if __name__ == "__main__":
    tyro.cli(main)
