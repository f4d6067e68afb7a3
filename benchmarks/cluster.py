"""What Ray costs, and what ImageNet and LAION-400M would: `python -m benchmarks.cluster`.

First the encode stage of the same pictures by the local engine and by a cluster of this one machine, in turns, Ray
being up already: the difference is Ray's own work and each worker's loading of the models. Then ViT-B/16 with random
weights on JPEGs of ImageNet's usual size, end to end, and from its rate the hours of machines like this one. What a
machine of another kind needs follows from its own rate, which the same command prints there.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch
import tyro

from benchmarks import photographs
from benchmarks.machine import machine
from benchmarks.vits import vit_models
from index_builder.build import load_models
from index_builder.cluster import encode_on_cluster, start_ray
from index_builder.config import BuildConfig
from index_builder.encode import encode_shards
from index_builder.plan import Encoders, Plan
from index_builder.sources import Source, open_source
from index_builder.sources.base import limited
from index_builder.workdir import WorkDir
from sae_core.references import DEMO_ASSETS

_SETS = {"ImageNet-1k": 1_281_167, "LAION-400M": 400_000_000}


def main(few: int = 256, many: int = 1_536, shard_size: int = 128, rounds: int = 3, jpegs: int = 128) -> None:
    """Prints what Ray adds at the start and a picture, and the hours of both data sets."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        taken = [turn(Path(folder) / str(number), few, many, shard_size) for number in range(rounds)]
        rate = vit_rate(Path(folder), jpegs, device)
    local, ray = ([seconds[engine] for seconds in taken] for engine in (False, True))
    ratios = [(b[1] - b[0]) / (a[1] - a[0]) for a, b in zip(local, ray, strict=True)]
    start = statistics.median(b[0] - a[0] for a, b in zip(local, ray, strict=True))
    middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
    print(f"  ray / local engine, time a picture: {middle:.3f} ({low:.3f} to {high:.3f})")
    print(f"  workers that start and load the models: {start:.1f} s once")
    width, height = photographs.SIZE
    print(f"  ViT-B/16 on JPEGs of {width} x {height}, files to shards: {rate:.1f} pictures a second on {device}")
    for name, n_images in _SETS.items():
        print(f"  {name}, {n_images:,} pictures: {n_images / rate / 3600:,.0f} hours of such a machine")


def turn(root: Path, few: int, many: int, shard_size: int) -> dict[bool, tuple[float, float]]:
    """Seconds for few and for many pictures, without Ray and with it."""
    config = BuildConfig((str(DEMO_ASSETS / "pictures.tar"),), "demo", "demo", root / "store", workers=0, engine="ray")
    models, source = load_models(config), open_source(*config.images)
    start_ray()

    def seconds(n: int, on_ray: bool) -> float:
        plan = Plan(n, shard_size, config.resolved_batch_size())
        return seconds_of(root / f"{n}-{on_ray}", config, limited(source, n), plan, models, on_ray)

    return {on_ray: (seconds(few, on_ray), seconds(many, on_ray)) for on_ray in (False, True)}


def seconds_of(out: Path, config: BuildConfig, source: Source, plan: Plan, models: Encoders, on_ray: bool) -> float:
    """Seconds of one encode stage."""
    work = WorkDir(out)
    with work.locked():
        began = time.perf_counter()
        if on_ray:
            encode_on_cluster(config, source, plan, work, models, None, lambda *_: None)
        else:
            encode_shards(source, plan, work, models, thumbnail_side=256, workers=0, progress=lambda *_: None)
        return time.perf_counter() - began


def vit_rate(root: Path, n: int, device: str) -> float:
    """Pictures a second from files to shards."""
    folder = photographs.folder_of(root / "jpegs", n)
    models = vit_models(device)
    source, work = open_source(str(folder)), WorkDir(root / "vit")
    with work.locked():
        began = time.perf_counter()
        plan = Plan(n, 1_024, 64)
        encode_shards(source, plan, work, models, thumbnail_side=256, workers=None, progress=lambda *_: None)
        return n / (time.perf_counter() - began)


if __name__ == "__main__":
    tyro.cli(main)
