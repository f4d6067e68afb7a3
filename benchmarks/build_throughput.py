"""Build throughput, end to end, over the encoder's own on decoded tensors: `python -m benchmarks.build_throughput`.

Both run in this process with the same torch threads, interleaved, so that a noisy machine hurts both alike. End to end
is everything from the listed files to committed shards: reading, decoding, cropping, thumbnails, CLIP, SAE, writing.
Every stage is also measured by itself. `--vit`: ViT-B/16 with random weights on JPEGs of ImageNet's usual size.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro

from benchmarks import photographs
from benchmarks.machine import machine
from benchmarks.stages import stages
from benchmarks.vits import NAME, saved_models, vit_models
from benchmarks.while_running import while_running
from index_builder.build import load_models
from index_builder.config import BuildConfig, resolved_device
from index_builder.decode import SlotDataset
from index_builder.encode import encode_shards
from index_builder.makers import Job
from index_builder.plan import Encoders, Plan
from index_builder.processes import encode_in_processes
from index_builder.sources import Source, open_source
from index_builder.sources.base import limited
from index_builder.stages import default_workers
from index_builder.workdir import WorkDir
from sae_core.allocator import keep_freed_memory
from sae_core.encoder.preprocessing import Decoder, Precision
from sae_core.references import DEMO_ASSETS

_LOOKS = 5  # at how far several processes are, at least
_DECODED = 512  # pictures that the encoder alone and the stages are measured on


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    images: tuple[str, ...] = (str(DEMO_ASSETS / "pictures.tar"),)
    """Source of the pictures."""
    encoder: str = "demo"
    """Encoder, as the builder takes it."""
    sae: str = "demo"
    """SAE, as the builder takes it."""
    pictures: int = 320
    """Pictures a round."""
    distinct: int = 320
    """Made-up photographs that differ; the others are copies."""
    batch_size: int | None = None
    """Pictures encoded together; None is the builder's default."""
    rounds: int = 16
    """Rounds; the median ratio is printed."""
    workers: int | None = None
    """Decoding processes; None is the builder's default."""
    device: str = "auto"
    """cpu, cuda or auto."""
    precision: Precision = "fp32"
    """What pictures are encoded in."""
    decode: Decoder = "cpu"
    """What decodes JPEGs."""
    compile: bool = False
    """Whether the encoder is compiled."""
    encoders: int = 1
    """Processes that encode side by side; their start is not counted. With --vit only."""
    mixed: bool = False
    """Whether the photographs have many sizes, as ImageNet's have, instead of one."""
    vit: bool = False
    """ViT-B/16 with random weights and 4,096 latents on made-up photographs, instead of encoder, SAE and images."""


def main(settings: Settings) -> None:
    """Prints one ratio with its parts."""
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        measure(settings, *given(settings, Path(folder)))


def given(settings: Settings, folder: Path) -> tuple[Source, Encoders]:
    """Pictures and models."""
    if settings.vit:
        n, distinct = settings.pictures, settings.distinct
        source = open_source(str(photographs.folder_of(folder / "jpegs", n, distinct, mixed=settings.mixed)))
        device = resolved_device(settings.device)  # type: ignore[arg-type]
        return source, replace(vit_models(device, settings.precision), decoder=settings.decode)
    config = BuildConfig(
        settings.images,
        settings.encoder,
        settings.sae,
        Path("unused"),
        device=settings.device,  # type: ignore[arg-type]
        precision=settings.precision,
        decode=settings.decode,
    )
    return limited(open_source(*settings.images), settings.pictures), load_models(config)


def measure(settings: Settings, source: Source, models: Encoders) -> None:
    """The rounds, and what is printed."""
    on_gpu = models.clip.device.type == "cuda"
    batch_size = settings.batch_size or (128 if on_gpu else 64)
    n_workers = default_workers(models) if settings.workers is None else settings.workers
    print(f"machine: {machine()}; {torch.get_num_threads()} torch threads, {n_workers} decoding workers")
    compiled = settings.compile and models.clip.compile(batch_size)
    name, how = "ViT-B/16" if settings.vit else settings.encoder, "compiled" if compiled else "not compiled"
    print(f"{name} in {settings.precision}, {how}; JPEGs decoded on the {settings.decode}; batches of {batch_size}")
    pixels = decoded(limited(source, _DECODED), models).to(models.clip.device)
    models.clip.encode_pixels(pixels[:batch_size])
    for stage, taken in stages(limited(source, _DECODED), models, batch_size).items():
        print(f"  {stage:14} {taken:8.3f} ms a picture by itself", flush=True)
    print(f"{len(source.keys)} pictures a round")
    os.sync()  # what made the pictures wrote is no business of the builder's
    ratios = []
    for number in range(settings.rounds):
        alone, whole = one_round(source, models, pixels, settings, batch_size, bool(number % 2))
        ratios.append(whole / alone)
        said = f"encoder alone {alone:7.1f} img/s   end to end {whole:7.1f} img/s   ratio {whole / alone:.3f}"
        print(said, flush=True)
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    print(f"end to end / encoder alone: {middle:.3f} (median of {len(ratios)} rounds; quartiles {low:.3f}, {high:.3f})")


def one_round(
    source: Source, models: Encoders, pixels: torch.Tensor, settings: Settings, batch_size: int, whole_first: bool
) -> tuple[float, float]:
    """Both rates; the order alternates, so that a machine that slows down does not favour one of them."""
    if whole_first:
        whole = end_to_end(source, models, settings, batch_size)
        return encoder_alone(models, pixels, len(source.keys), batch_size), whole
    return encoder_alone(models, pixels, len(source.keys), batch_size), end_to_end(source, models, settings, batch_size)


def decoded(source: Source, models: Encoders) -> torch.Tensor:
    """All pictures as the encoder takes them."""
    return SlotDataset(source, models.clip.preprocessing, 0).__getitems__(list(range(len(source.keys)))).pixels


def encoder_alone(models: Encoders, pixels: torch.Tensor, n: int, batch_size: int) -> float:
    """Pictures a second of CLIP on decoded tensors that lie on its device, in the builder's batches."""
    batches = pixels.split(batch_size)
    began = time.perf_counter()
    encoded = [models.clip.embed_pixels(batches[number % len(batches)]) for number in range(-(-n // batch_size))]
    encoded[-1].cpu()  # a GPU has done all of them by then
    return sum(map(len, encoded)) / (time.perf_counter() - began)


def end_to_end(source: Source, models: Encoders, settings: Settings, batch_size: int) -> float:
    """Pictures a second of the whole encode stage."""
    with tempfile.TemporaryDirectory() as folder:
        work, plan = WorkDir(Path(folder) / "store"), Plan(len(source.keys), 1024, batch_size)
        if settings.encoders > 1:
            return in_processes(source, plan, work, settings)
        workers = settings.workers
        with work.locked():
            began = time.perf_counter()
            with while_running(len(source.keys)):
                encode_shards(source, plan, work, models, thumbnail_side=256, workers=workers, progress=lambda *_: None)
            return len(source.keys) / (time.perf_counter() - began)


def in_processes(source: Source, plan: Plan, work: WorkDir, settings: Settings) -> float:
    """The same in several processes, between a half and nine tenths of the pictures, when all of them are at work."""
    weights, sae = saved_models(work.root.parent)
    config = BuildConfig(
        ("unused",),
        f"{NAME}:{weights}",
        str(sae),
        work.root.with_name("store"),
        device=settings.device,  # type: ignore[arg-type]
        precision=settings.precision,
        decode=settings.decode,
        compile="yes" if settings.compile else "no",
        batch_size=plan.batch_size,
        workers=settings.workers,
        encoders=settings.encoders,
    )
    done: list[tuple[float, int]] = []
    with work.locked():
        job = Job.of(config, source, plan, work, load_models(config), None)
        shards = list(range(plan.n_shards))
        encode_in_processes(job, shards, settings.encoders, lambda n, _: done.append((time.perf_counter(), n)))
    total, n_before = len(source.keys), 0
    within: list[tuple[float, int]] = []
    for when, n in done:
        n_before += n
        if total / 2 <= n_before <= 0.9 * total:
            within.append((when, n_before))
    if len(within) < _LOOKS:
        raise SystemExit(f"{total} pictures are too few for {settings.encoders} processes: give more")
    return (within[-1][1] - within[0][1]) / (within[-1][0] - within[0][0])


if __name__ == "__main__":
    main(tyro.cli(Settings))
