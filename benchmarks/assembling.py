"""Galleries and figures of many images, without reading pictures: `python -m benchmarks.assembling`.

Time of each step, and the most memory that the process takes for them (not the disk's cache), for made-up codes of
three sizes. The largest takes 17 bytes an activation of disk: 14 GB for 50 million images of 16.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tyro

from benchmarks.clock import clocked
from benchmarks.machine import machine
from benchmarks.memory import peak
from index_builder.analysis.coactivity import write_coactivity
from index_builder.analysis.postings import write_postings
from index_builder.analysis.profiles import write_profiles
from index_builder.arrays import new_array
from sae_core.store import layout

_CHUNK = 262_144
_N_LABELS = 1_000


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    images: tuple[int, ...] = (100_000, 1_280_000, 50_000_000)
    """Numbers of images."""
    latents: int = 4_096
    """Number of latents."""
    k: int = 16
    """Activations an image."""
    memory: float = 2.0
    """GiB to sort in."""
    folder: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    """A disk with room."""


def main(settings: Settings) -> None:
    """Prints a line a size."""
    print(f"{machine()}; {settings.latents:,} latents, k {settings.k}, {settings.memory:g} GiB to sort in\n")
    print("| images | galleries, s | histograms and labels, s | active together, s | us an image | memory, MB |")
    print("|---|---|---|---|---|---|")
    for n in settings.images:
        root = Path(tempfile.mkdtemp(dir=settings.folder))
        try:
            one_size(root, n, settings)
        finally:
            shutil.rmtree(root)


def one_size(root: Path, n: int, settings: Settings) -> None:
    """Makes codes, and measures what is made of them."""
    make_codes(root, n, settings)
    (root / "latents").mkdir()
    with peak() as most:
        seconds = [clocked(lambda: write_postings(root, settings.latents, int(settings.memory * 2**30)))]
        seconds.append(clocked(lambda: write_profiles(root)))
        seconds.append(clocked(lambda: write_coactivity(root, settings.latents)))
    said = " | ".join(f"{value:,.1f}" for value in seconds)
    print(f"| {n:,} | {said} | {sum(seconds) / n * 1e6:.1f} | {most[0]:,.0f} |", flush=True)


def make_codes(root: Path, n: int, settings: Settings) -> None:
    """Codes whose latents are as unequal as an SAE's: the j-th activation is of the j-th k-th of them, Zipf inside."""
    (root / "codes").mkdir()
    shapes = {layout.CODE_INDICES: (n, settings.k), layout.CODE_ACTIVATIONS: (n, settings.k), layout.IMAGE_LABELS: (n,)}
    indices, activations, labels = (new_array(root / name, layout.DTYPES[name], size) for name, size in shapes.items())
    width = settings.latents // settings.k
    shares = np.cumsum(1 / np.arange(4, width + 4))
    shares /= shares[-1]
    for start in range(0, n, _CHUNK):
        rng, rows = np.random.default_rng([7, start]), slice(start, min(start + _CHUNK, n))
        size = (rows.stop - rows.start, settings.k)
        indices[rows] = np.searchsorted(shares, rng.random(size, dtype=np.float32)) + np.arange(settings.k) * width
        activations[rows] = -np.sort(-rng.gamma(2, 0.05, size).astype(np.float32), axis=1)
        labels[rows] = rng.integers(0, _N_LABELS, size[0])


if __name__ == "__main__":
    main(tyro.cli(Settings))
