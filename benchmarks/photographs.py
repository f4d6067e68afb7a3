"""Made-up photographs: JPEGs of ImageNet's usual size with about a photograph's detail."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (500, 375)


def folder_of(folder: Path, n: int, distinct: int | None = None) -> Path:
    """A folder of n photographs, always the same ones; beyond `distinct` they are copies."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(n):
        again = number % distinct if distinct else number
        data = (folder / f"{again:06d}.jpg").read_bytes() if again < number else photograph(rng)
        (folder / f"{number:06d}.jpg").write_bytes(data)
    return folder


def photograph(rng: np.random.Generator) -> bytes:
    """A JPEG of noise at several scales."""
    layers = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).resize(SIZE), np.float32)
        for side in (4, 16, 64, 200)
    ]
    out = io.BytesIO()
    Image.fromarray(np.mean(layers, axis=0).astype(np.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()
