"""Made-up photographs: JPEGs of ImageNet's usual size with about a photograph's detail."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (500, 375)


def folder_of(folder: Path, n: int, distinct: int | None = None, *, mixed: bool = False) -> Path:
    """A folder of n photographs, always the same ones; beyond `distinct` they are copies. `mixed`: of many sizes."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(n):
        again = number % distinct if distinct else number
        path = folder / f"{number:06d}.jpg"
        if again < number:
            path.hardlink_to(folder / f"{again:06d}.jpg")
        else:
            path.write_bytes(photograph(rng, one_of_many(rng) if mixed else SIZE))
    return folder


def one_of_many(rng: np.random.Generator) -> tuple[int, int]:
    """A size as ImageNet's are: half of them the usual one, the others lower, upright, or anything."""
    kind, side = rng.integers(8), int(rng.integers(250, 500))
    if kind < 4:
        return SIZE
    return {4: SIZE[::-1], 5: (500, side), 6: (side, 500)}.get(int(kind), (side, int(rng.integers(200, 1_000))))


def photograph(rng: np.random.Generator, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG of noise at several scales."""
    layers = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).resize(size), np.float32)
        for side in (4, 16, 64, 200)
    ]
    out = io.BytesIO()
    Image.fromarray(np.mean(layers, axis=0).astype(np.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()
