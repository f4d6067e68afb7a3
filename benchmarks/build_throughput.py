"""Build throughput, end to end, over the encoder's own on decoded tensors: `python -m benchmarks.build_throughput`.

Both run in this process with the same torch threads, interleaved, so that a noisy machine hurts both alike. End to end
is everything from the listed files to committed shards: reading, decoding, cropping, thumbnails, CLIP, SAE, writing.
Every stage is also measured by itself. `--vit`: ViT-B/16 with random weights on JPEGs of ImageNet's usual size.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from benchmarks import photographs
from benchmarks.machine import machine
from benchmarks.stages import stages
from benchmarks.vits import vit_models
from index_builder.build import limited, load_models
from index_builder.config import BuildConfig, resolved_device
from index_builder.decode import SlotDataset
from index_builder.encode import Encoders, Plan, default_workers, encode_shards
from index_builder.sources import Source, open_source
from index_builder.workdir import WorkDir
from sae_core.allocator import keep_freed_memory
from sae_core.encoder.preprocessing import Precision
from sae_core.references import DEMO_ASSETS


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    images: str = str(DEMO_ASSETS / "pictures.tar")
    """Source of the pictures."""
    encoder: str = "demo"
    """Encoder, as the builder takes it."""
    sae: str = "demo"
    """SAE, as the builder takes it."""
    pictures: int = 320
    """Pictures a round."""
    rounds: int = 16
    """Rounds; the median ratio is printed."""
    workers: int | None = None
    """Decoding processes; None is the builder's default."""
    device: str = "auto"
    """cpu, cuda or auto."""
    precision: Precision = "fp32"
    """What pictures are encoded in."""
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
        source = open_source(str(photographs.folder_of(folder / "jpegs", settings.pictures)))
        device = resolved_device(settings.device)  # type: ignore[arg-type]
        return source, vit_models(device, settings.precision)
    config = BuildConfig(
        settings.images,
        settings.encoder,
        settings.sae,
        Path("unused"),
        device=settings.device,  # type: ignore[arg-type]
        precision=settings.precision,
    )
    return limited(open_source(settings.images), settings.pictures), load_models(config)


def measure(settings: Settings, source: Source, models: Encoders) -> None:
    """The rounds, and what is printed."""
    pixels = decoded(source, models)
    models.clip.encode_pixels(pixels[:64])
    rounds = [
        one_round(source, models, pixels, settings.workers, bool(number % 2)) for number in range(settings.rounds)
    ]
    ratios = sorted(whole / alone for alone, whole in rounds)
    n_workers = default_workers(models.clip.device.type) if settings.workers is None else settings.workers
    name, precision = "ViT-B/16" if settings.vit else settings.encoder, settings.precision
    print(f"machine: {machine()}; {torch.get_num_threads()} torch threads, {n_workers} decoding workers")
    print(f"{name} in {precision}, {len(source.keys)} pictures a round")
    for stage, taken in stages(source, models).items():
        print(f"  {stage:10} {taken:8.3f} ms a picture by itself")
    for alone, whole in rounds:
        print(f"encoder alone {alone:7.1f} img/s   end to end {whole:7.1f} img/s   ratio {whole / alone:.3f}")
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"end to end / encoder alone: {middle:.3f} (median of {len(ratios)} rounds; quartiles {low:.3f}, {high:.3f})")


def one_round(
    source: Source, models: Encoders, pixels: torch.Tensor, workers: int | None, whole_first: bool
) -> tuple[float, float]:
    """Both rates; the order alternates, so that a machine that slows down does not favour one of them."""
    if whole_first:
        whole = end_to_end(source, models, workers)
        return encoder_alone(models, pixels), whole
    return encoder_alone(models, pixels), end_to_end(source, models, workers)


def decoded(source: Source, models: Encoders) -> torch.Tensor:
    """All pictures as the encoder takes them."""
    return SlotDataset(source, models.clip.preprocessing, 0).__getitems__(list(range(len(source.keys)))).pixels


def encoder_alone(models: Encoders, pixels: torch.Tensor) -> float:
    """Pictures a second of CLIP on decoded tensors, in the builder's batches."""
    began = time.perf_counter()
    for start in range(0, len(pixels), 64):
        models.clip.encode_pixels(pixels[start : start + 64])
    return len(pixels) / (time.perf_counter() - began)


def end_to_end(source: Source, models: Encoders, workers: int | None) -> float:
    """Pictures a second of the whole encode stage."""
    with tempfile.TemporaryDirectory() as folder:
        work = WorkDir(Path(folder) / "store")
        with work.locked():
            plan = Plan(len(source.keys), 1024, 64)
            began = time.perf_counter()
            encode_shards(source, plan, work, models, thumbnail_side=256, workers=workers, progress=lambda *_: None)
            return len(source.keys) / (time.perf_counter() - began)


if __name__ == "__main__":
    main(tyro.cli(Settings))
