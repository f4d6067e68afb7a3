"""CPU time an image of the encoder with and without `keep_freed_memory`: `python -m benchmarks.allocator`.

CPU seconds of the process, not wall-clock, so that other work on the machine matters little.
"""

from __future__ import annotations

import resource
import sys

import torch

from benchmarks.machine import machine
from sae_core.allocator import keep_freed_memory
from sae_core.encoder.clip import ClipEncoder

_N = 256


def main() -> None:
    """Prints user and system time an image, before and after."""
    encoder = ClipEncoder.load(sys.argv[1] if len(sys.argv) > 1 else "demo")
    side = encoder.preprocessing.crop
    pixels = torch.randint(0, 255, (_N, side, side, 3), dtype=torch.uint8)
    print(f"machine: {machine()}")
    before = cpu_ms(encoder, pixels)
    keep_freed_memory()
    after = cpu_ms(encoder, pixels)
    for name, (user, system) in (("stock", before), ("kept", after)):
        print(f"{name:6s} user {user:5.1f} ms   system {system:5.1f} ms an image")
    print(f"CPU time stock / kept: {sum(before) / sum(after):.2f}")


def cpu_ms(encoder: ClipEncoder, pixels: torch.Tensor) -> tuple[float, float]:
    """User and system milliseconds an image, after a warm-up."""
    encoder.encode_pixels(pixels[:32])
    start = resource.getrusage(resource.RUSAGE_SELF)
    encoder.encode_pixels(pixels)
    end = resource.getrusage(resource.RUSAGE_SELF)
    return (end.ru_utime - start.ru_utime) / _N * 1e3, (end.ru_stime - start.ru_stime) / _N * 1e3


if __name__ == "__main__":
    main()
