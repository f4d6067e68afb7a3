"""What `--precision bf16` gives and costs: `python -m benchmarks.precision`.

Speed: batches of ready-made pixels in fp32 and bf16, in turns, for the demonstration's encoder and ViT-B/16 with random
weights. Agreement: the demonstration's pictures, embedded and coded both ways, against the reference preprocessing
(open_clip's own transform, fp32). Random weights say nothing about agreement, so ViT-B/16 has none here.
"""

from __future__ import annotations

import copy
import io
import statistics
import time

import numpy as np
import open_clip
import torch
import tyro
from PIL import Image
from torch.nn import functional as F

from benchmarks.machine import machine
from benchmarks.vits import vit
from index_builder.sources import open_source
from sae_core import ClipEncoder, load_sae
from sae_core.allocator import keep_freed_memory
from sae_core.encoder.attention import project_at_once
from sae_core.encoder.preprocessing import Precision
from sae_core.references import DEMO_ASSETS

_BATCH = 64


def main(rounds: int = 5, pictures: int = 1_024) -> None:
    """Prints the ratio of speeds for both encoders, then the agreement on the demonstration's pictures."""
    keep_freed_memory()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"{machine()}; {device}")
    for name, full in (("demo", ClipEncoder.load("demo", device)), ("ViT-B/16, random weights", vit(device))):
        ratios = speeds(full, in_bf16(full), rounds)
        low, high = min(ratios), max(ratios)
        print(f"  {name}: bf16 {statistics.median(ratios):.2f} times as fast as fp32 ({low:.2f} to {high:.2f})")
    agreement(pictures, device)


def in_bf16(full: ClipEncoder) -> ClipEncoder:
    """The same encoder in the other precision."""
    half = copy.copy(full)
    half.model, half.precision = copy.deepcopy(full.model), "bf16"
    project_at_once(half.model.visual)
    return half


def speeds(full: ClipEncoder, half: ClipEncoder, rounds: int) -> list[float]:
    """Ratios of the times of one batch, a round each."""
    crop = full.preprocessing.crop
    pixels = torch.randint(0, 256, (_BATCH, crop, crop, 3), dtype=torch.uint8)
    seconds(half, pixels)  # the first one is slow
    return [seconds(full, pixels) / seconds(half, pixels) for _ in range(rounds)]


def seconds(encoder: ClipEncoder, pixels: torch.Tensor) -> float:
    """Of one batch; the embeddings come back to the CPU, so a GPU has finished."""
    began = time.perf_counter()
    encoder.encode_pixels(pixels)
    return time.perf_counter() - began


def agreement(pictures: int, device: str) -> None:
    """Prints cosines of embeddings and what codes have in common, each way against the reference."""
    source = open_source(str(DEMO_ASSETS / "pictures.tar"))
    step = max(1, len(source.keys) // pictures)
    images = [
        Image.open(io.BytesIO(source.read(slot).data)).convert("RGB")
        for slot in range(0, len(source.keys), step)[:pictures]
    ]
    x = reference(images, device)
    others = (x * x.roll(len(x) // 2, dims=0)).sum(dim=1).mean()
    print(f"  demo, {len(x):,} pictures against open_clip's own transform in fp32; two random pictures: {others:.3f}")
    precisions: tuple[Precision, ...] = ("fp32", "bf16")
    for precision in precisions:
        print(f"    {precision}: {compared(x, ClipEncoder.load('demo', device, precision).encode_images(images))}")


def reference(images: list[Image.Image], device: str) -> torch.Tensor:
    """Embeddings as open_clip makes them by itself."""
    encoder = ClipEncoder.load("demo", device)
    transform = open_clip.transform.image_transform_v2(
        open_clip.transform.PreprocessCfg(**open_clip.get_model_preprocess_cfg(encoder.model)), is_train=False
    )
    with torch.no_grad():
        batches = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
        encoded = [encoder.model.encode_image(torch.stack([transform(i) for i in b]).to(device)) for b in batches]
    return F.normalize(torch.cat(encoded).float(), dim=1).cpu()


def compared(x: torch.Tensor, y: torch.Tensor) -> str:
    """Cosines, the share of each code's latents that both have, and how often the strongest is the same."""
    sae = load_sae("demo")
    cosines = F.cosine_similarity(x, y).numpy()
    ours, theirs = (sae.encode(part).indices for part in (x, y))
    shared = np.mean([len(set(a) & set(b)) / len(a) for a, b in zip(ours.tolist(), theirs.tolist(), strict=True)])
    first = (ours[:, 0] == theirs[:, 0]).float().mean()
    return (
        f"cosine {np.median(cosines):.5f} (1st percentile {np.percentile(cosines, 1):.5f}), "
        f"{shared:.3f} of a code's latents the same, the strongest in {first:.3f}"
    )


if __name__ == "__main__":
    tyro.cli(main)
