"""Shards into a store's files by image, thumbnail pack included: `python -m benchmarks.packing`.

Shards are made up and hold what a build's do; `benchmarks.assembling` measures what comes after (galleries, figures).
Times are of the builder's own reading and writing, and until everything is on the disk; beside them, a plain copy of
the same bytes on the same disk. ImageNet's size takes 40 GB.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import tyro

from benchmarks.machine import machine
from benchmarks.memory import peak
from benchmarks.vits import random_sae
from index_builder.assemble import add_shards
from index_builder.decode import ImageRow
from index_builder.shards import ShardWriter
from sae_core.sae.topk import SparseCodes

_SHARD = 1_024


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    images: tuple[int, ...] = (102_400, 1_280_000)
    """Numbers of images."""
    thumbnail: int = 9_800
    """Bytes of a thumbnail."""
    folder: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    """A disk with room."""


def main(settings: Settings) -> None:
    """Prints a line a size."""
    print(f"{machine()}; thumbnails of {settings.thumbnail:,} bytes\n")
    print("| images | GB | packing, s | until on the disk, s | a copy, s | us an image | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for n in settings.images:
        root = Path(tempfile.mkdtemp(dir=settings.folder))
        try:
            one_size(root, n, settings.thumbnail)
        finally:
            shutil.rmtree(root)


def one_size(root: Path, n: int, size: int) -> None:
    """Makes shards, and measures what packs them."""
    shards, sae = made(root / "shards", n, size), random_sae()
    (root / "store").mkdir()
    os.sync()
    with peak() as most:
        began = time.perf_counter()
        add_shards(root / "store", shards, sae, thumbnails=True, progress=lambda _: None)
        packed = time.perf_counter() - began
        os.sync()
        written = time.perf_counter() - began
    n_bytes = sum(path.stat().st_size for path in (root / "store").rglob("*") if path.is_file())
    shutil.rmtree(root / "shards")
    began = time.perf_counter()
    shutil.copytree(root / "store", root / "copy")
    os.sync()
    copied = time.perf_counter() - began
    said = f"{n:,} | {n_bytes / 1e9:.1f} | {packed:.1f} | {written:.1f} | {copied:.1f} | {packed / n * 1e6:.1f}"
    print(f"| {said} | {most[0]:,.0f} |", flush=True)


def made(folder: Path, n: int, size: int) -> list[Path]:
    """Shards of n made-up images."""
    folder.mkdir()
    rng, paths = np.random.default_rng(0), []
    noise = rng.bytes(2 * size)
    for start in range(0, n, _SHARD):
        ids = range(start, min(start + _SHARD, n))
        rows = [
            ImageRow(
                f"class{i % 1_000:04d}/{i:08d}.jpg",
                f"class{i % 1_000}",
                None,
                None,
                500,
                375,
                "0" * 64,
                at(noise, i, size),
            )
            for i in ids
        ]
        x = torch.from_numpy(rng.standard_normal((len(ids), 512), dtype=np.float32))
        codes = SparseCodes(torch.from_numpy(rng.integers(0, 4_096, (len(ids), 16))), torch.rand(len(ids), 16))
        paths.append(folder / f"{start:09d}.arrow")
        writer = ShardWriter(paths[-1], 512, 16)
        writer.add_pictures(list(ids), rows, x, codes)
        writer.commit()
    return paths


def at(noise: bytes, number: int, size: int) -> bytes:
    """Bytes that differ from one image to the next."""
    return noise[number % size : number % size + size]


if __name__ == "__main__":
    main(tyro.cli(Settings))
