"""What `--precision bf16` gives and costs: `python -m benchmarks.precision`.

Speed: batches of ready-made pixels in fp32 and in halves, in turns, for the demonstration's encoder and ViT-B/16 with
random weights. Agreement: JPEGs of the demonstration's pictures and of cuttings from its photographs, embedded and
coded each way, against the reference (Pillow, open_clip's own transform, fp32); on a GPU also decoded there, and large
ones also decoded no larger than needed. Random weights say nothing about agreement, so ViT-B/16 has none here.
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
from index_builder.decode import short_side
from index_builder.jpegs import JpegStage
from index_builder.sources import open_source
from sae_core import ClipEncoder, load_sae
from sae_core.allocator import keep_freed_memory
from sae_core.encoder.attention import project_at_once
from sae_core.encoder.preprocessing import Decoder, Precision
from sae_core.pictures import open_picture
from sae_core.references import DEMO_ASSETS

_BATCH = 64


def main(rounds: int = 5, pictures: int = 1_024) -> None:
    """Prints the ratio of speeds for both encoders, then the agreement on the demonstration's pictures."""
    keep_freed_memory()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"{machine()}; {device}")
    for name, full in (("demo", ClipEncoder.load("demo", device)), ("ViT-B/16, random weights", vit(device))):
        halves: tuple[Precision, ...] = ("bf16", "fp16") if device == "cuda" else ("bf16",)
        for half in halves:
            ratios = speeds(full, in_halves(full, half), rounds)
            low, high = min(ratios), max(ratios)
            print(f"  {name}: {half} {statistics.median(ratios):.2f} times as fast as fp32 ({low:.2f} to {high:.2f})")
    agreement(pictures, device)


def in_halves(full: ClipEncoder, precision: Precision) -> ClipEncoder:
    """The same encoder in another precision."""
    half = copy.copy(full)
    half.model, half.precision = copy.deepcopy(full.model), precision
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
    ways: list[tuple[Precision, Decoder]] = [("fp32", "cpu"), ("bf16", "cpu")]
    if device == "cuda":
        ways += [("fp16", "cpu"), ("fp32", "gpu"), ("fp16", "gpu")]
    small = (("pictures", drawn(pictures), ways), ("cuttings of photographs", cuttings(pictures // 4), ways))
    for_large: list[tuple[Precision, Decoder]] = [("fp32", "cpu"), ("fp32", "reduced")]
    enlarged = ("cuttings, thrice as large", cuttings(pictures // 4, 3), for_large)
    for name, jpegs, measured in (*small, enlarged):
        images = [Image.open(io.BytesIO(data)).convert("RGB") for data in jpegs]
        x = reference(images, device)
        others = (x * x.roll(len(x) // 2, dims=0)).sum(dim=1).mean()
        print(f"  demo, {len(x):,} {name} against open_clip's own transform in fp32; two of them: {others:.3f}")
        for precision, decoder in measured:
            clip = ClipEncoder.load("demo", device, precision)
            y = on_gpu(jpegs, clip) if decoder == "gpu" else on_cpu(jpegs, clip, decoder)
            print(f"    {precision}, decoded on the {decoder}: {compared(x, y)}", flush=True)


def on_cpu(jpegs: list[bytes], clip: ClipEncoder, decoder: Decoder) -> torch.Tensor:
    """Embeddings of JPEGs that the CPU decodes, as a build without thumbnails does it."""
    least = short_side(decoder, clip.preprocessing, thumbnail_side=0)
    crops = [clip.preprocessing.crop_pixels(open_picture(data, least).pixels) for data in jpegs]
    return clip.encode_pixels(torch.from_numpy(np.stack(crops)))


def on_gpu(jpegs: list[bytes], clip: ClipEncoder) -> torch.Tensor:
    """Embeddings of JPEGs that the GPU decodes."""
    stage = JpegStage(clip.preprocessing, 0, clip.device)
    coded = [torch.frombuffer(bytearray(data), dtype=torch.uint8) for data in jpegs]
    batches = [coded[start : start + _BATCH] for start in range(0, len(coded), _BATCH)]
    return torch.cat([clip.encode_pixels(stage(batch).crops) for batch in batches])


def drawn(n: int) -> list[bytes]:
    """JPEGs of the demonstration's pictures, twice as large as they are."""
    source = open_source(str(DEMO_ASSETS / "pictures.tar"))
    slots = range(0, len(source.keys), max(1, len(source.keys) // n))[:n]
    images = [Image.open(io.BytesIO(source.read(slot).data)).convert("RGB") for slot in slots]
    return [jpeg(image.resize((2 * image.width, 2 * image.height))) for image in images]


def cuttings(n: int, times: int = 1) -> list[bytes]:
    """JPEGs of random parts of the demonstration's photographs, some times as large as they are."""
    rng = np.random.default_rng(0)
    photographs = [Image.open(path).convert("RGB") for path in sorted((DEMO_ASSETS / "uploads").glob("*.jpg"))]
    made = []
    for number in range(n):
        image = photographs[number % len(photographs)]
        width, height = (int(side * rng.uniform(0.6, 1)) for side in image.size)
        left, top = (int(rng.uniform(0, whole - part)) for whole, part in zip(image.size, (width, height), strict=True))
        part = image.crop((left, top, left + width, top + height))
        made.append(jpeg(part.resize((times * width, times * height))))
    return made


def jpeg(image: Image.Image) -> bytes:
    """As cameras write them: two of three colour samples are shared by four pixels."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, subsampling="4:2:0")
    return out.getvalue()


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
