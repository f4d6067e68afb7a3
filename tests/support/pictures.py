"""Pictures with structure: each label has its own colour and stripe, so that neighbours make sense."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"red things": (200, 30, 30), "green things": (30, 180, 40), "blue things": (40, 60, 210)}


def picture(number: int, size: tuple[int, int] = (48, 40)) -> tuple[str, Image.Image]:
    """A label and a striped, slightly noisy RGB picture."""
    label = list(COLOURS)[number % len(COLOURS)]
    rng = np.random.default_rng(number)
    pixels = np.full((size[1], size[0], 3), COLOURS[label], dtype=np.int64)
    pixels[:: 2 + number % 5] //= 2
    noisy = np.clip(pixels + rng.integers(-20, 20, pixels.shape), 0, 255).astype(np.uint8)
    return label, Image.fromarray(noisy)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """A picture file in memory."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def make_folder(root: Path, n: int, broken: dict[int, bytes] | None = None) -> Path:
    """`root/LABEL/NNN.png`; `broken` puts other bytes in some of the files."""
    for number in range(n):
        label, image = picture(number)
        path = root / label.replace(" ", "_") / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((broken or {}).get(number, encoded(image)))
    return root


def make_tar(path: Path, n: int) -> Path:
    """A WebDataset tar with captions and labels."""
    with tarfile.open(path, "w") as tar:
        for number in range(n):
            label, image = picture(number)
            facts = {"label": label, "caption": f"a {label.split()[0]} thing, number {number}", "license": "CC0"}
            for extension, data in (("png", encoded(image)), ("json", json.dumps(facts).encode())):
                info = tarfile.TarInfo(f"{number:05d}.{extension}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path
