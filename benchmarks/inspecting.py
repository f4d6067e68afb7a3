"""From an uploaded file to its sparse code, as a multiple of the encoder alone: `python -m benchmarks.inspecting`.

A 12-megapixel JPEG and a small one are opened, turned, cropped, encoded, and their code with its reconstruction,
nearest pictures and cards is built, as the Inspect page does; the encoder alone gets the pixels ready-made. Measured in
turns, for the demonstration's encoder and for ViT-B/16 with random weights (its speed does not depend on them).
"""

from __future__ import annotations

import io
from contextlib import nullcontext

import numpy as np
import torch
import tyro
from PIL import Image

from benchmarks.clock import clocked
from benchmarks.machine import machine
from benchmarks.vits import vit
from explorer.uploads import Upload, encode_upload, upload_source
from explorer.views.inspection import build_inspection
from sae_core import ClipEncoder, LatentStore
from sae_core.references import DEMO_ASSETS

_LARGE = (4000, 3000)


def main(rounds: int = 15) -> None:
    """Prints a line an encoder and file: medians over the rounds, after one that is not counted."""
    print(machine())
    store = LatentStore.open("stores/demo")
    small = (DEMO_ASSETS / "uploads" / "coffee.jpg").read_bytes()
    for name, encoder in (("demo", ClipEncoder.load("demo")), ("ViT-B/16, random weights", vit())):
        for file, data in (("600 x 400", small), ("12 megapixels", enlarged(small))):
            print(f"  {name}, {file}: {measured(store, encoder, data, rounds)}")


def measured(store: LatentStore, encoder: ClipEncoder, data: bytes, rounds: int) -> str:
    """All of it, and the encoder beside it. The store's width is the same as both encoders' (512)."""
    crop = encoder.preprocessing.crop
    pixels = torch.zeros(1, crop, crop, 3, dtype=torch.uint8)
    alone, upload, whole = [], [], []
    for _ in range(rounds + 1):
        alone.append(clocked(lambda: encoder.encode_pixels(pixels)))
        upload.append(clocked(lambda: encoded(encoder, data)))
        whole.append(clocked(lambda: inspected(store, encoder, data)))
    one, opened, shown = (float(np.median(times[1:])) for times in (alone, upload, whole))
    return (
        f"upload to code and cards {1000 * shown:.0f} ms, {shown / one:.1f} times the encoder alone "
        f"({1000 * one:.0f} ms); to the embedding {1000 * opened:.0f} ms"
    )


def inspected(store: LatentStore, encoder: ClipEncoder, data: bytes) -> object:
    """What the page does with a file."""
    return build_inspection(store, upload_source(encoded(encoder, data)))


def encoded(encoder: ClipEncoder, data: bytes) -> Upload:
    """A file's upload, whose encoder nobody else uses."""
    return encode_upload(encoder.preprocessing, lambda: nullcontext(encoder), "picture.jpg", data)


def enlarged(data: bytes) -> bytes:
    """The same picture as a camera's file."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").resize(_LARGE).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


if __name__ == "__main__":
    tyro.cli(main)
