"""Indexes of images, kind by kind and size by size: `python -m benchmarks.image_index`.

Embeddings are those of benchmarks.made_up_images. Each index is written and read as the app reads it; a query is one
picture's ten nearest, candidates measured exactly. At 5.12 million images the files take 22 GB of the temporary folder.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
import tyro
from numpy.lib.format import open_memmap

from benchmarks.machine import machine
from benchmarks.made_up_images import Settings as StoreSettings
from benchmarks.made_up_images import World, chunks, labels_of
from index_builder.analysis.indexes import exact, listed, scanned
from index_builder.analysis.recall import N_NEAREST
from sae_core.store.gpu_search import GpuVectors
from sae_core.store.search import is_exact, nearest, nearest_refined

_KINDS = {"exact": exact, "scanned": scanned, "listed": listed}


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    images: tuple[int, ...] = (100_000, 1_280_000, 5_120_000)
    """Sizes."""
    queries: int = 100
    """Timed pictures."""
    kinds: tuple[Literal["exact", "scanned", "listed"], ...] = ("exact", "scanned", "listed")
    """Kinds of index; on a GPU, an exhaustive search there comes on top."""


def main(settings: Settings) -> None:
    """A line for each kind and size."""
    print(f"{machine()}; GPUs of FAISS: {faiss.get_num_gpus()}; ten nearest, {settings.queries} queries, medians")
    for n in settings.images:
        with tempfile.TemporaryDirectory() as folder:
            embeddings = made(Path(folder), n)
            for build in (_KINDS[kind] for kind in settings.kinds):
                said = measured(build, embeddings, Path(folder) / "index", settings.queries)
                print(f"  {n:9,} images, {build.__name__:8} {said}", flush=True)
            if vectors := GpuVectors.of(embeddings):
                print(f"  {n:9,} images, on a GPU {on_a_gpu(vectors, embeddings, settings.queries)}", flush=True)


def on_a_gpu(vectors: GpuVectors, embeddings: np.ndarray, n_queries: int) -> str:
    """Milliseconds a query of an exhaustive search."""
    times = []
    for query in embeddings[np.random.default_rng(0).choice(len(embeddings), n_queries)]:
        began = time.perf_counter()
        vectors.search(query[None], N_NEAREST)
        times.append(1000 * (time.perf_counter() - began))
    return f"{statistics.median(times):8.2f} ms a query, exact"


def made(folder: Path, n: int) -> np.ndarray:
    """Embeddings in a file, mapped."""
    settings = StoreSettings(out=folder, images=n)
    world = World(settings)
    written = open_memmap(folder / "embeddings.npy", "w+", np.float32, (n, settings.d_embed))
    for start, stop in chunks(n):
        written[start:stop] = world.embeddings(start, labels_of(settings, start, stop))
    written.flush()
    return written


def measured(build, embeddings: np.ndarray, file: Path, n_queries: int) -> str:  # type: ignore[no-untyped-def]
    """Seconds to build, size, recall and milliseconds a query."""
    began = time.perf_counter()
    made_index, recall = build(embeddings)
    built = time.perf_counter() - began
    faiss.write_index(made_index, str(file))
    del made_index
    index: Any = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
    times = []
    for query in embeddings[np.random.default_rng(0).choice(len(embeddings), n_queries)]:
        began = time.perf_counter()
        if is_exact(index):
            nearest(index, query, N_NEAREST)
        else:
            nearest_refined(index, embeddings, query, N_NEAREST)
        times.append(1000 * (time.perf_counter() - began))
    lists = f", {index.nprobe} of {index.nlist} lists" if hasattr(index, "nprobe") else ""
    return (
        f"{statistics.median(times):8.2f} ms a query, recall {recall:.3f}, built in {built:5.1f} s, "
        f"file {file.stat().st_size / 1e6:8.1f} MB{lists}"
    )


if __name__ == "__main__":
    main(tyro.cli(Settings))
