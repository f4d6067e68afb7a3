"""How long the largest allowed upload takes to decode, by format: `python -m benchmarks.slow_pictures`."""

from __future__ import annotations

import io
import math
import time

import numpy as np
from PIL import Image

from benchmarks.machine import machine
from sae_core.pictures import MAX_PIXELS, open_picture

# format, what it is called, how it is written: smooth pictures, so that as many pixels as allowed fit into 20 MB
KINDS: list[tuple[str, str, dict[str, object]]] = [
    ("JPEG", "JPEG, baseline", {"quality": 85}),
    ("JPEG", "JPEG, progressive", {"quality": 85, "progressive": True}),
    ("PNG", "PNG", {}),
    ("WEBP", "WebP", {"quality": 50, "method": 0}),
    ("WEBP", "WebP, lossless", {"lossless": True, "method": 0, "quality": 0}),
    ("TIFF", "TIFF, deflate", {"compression": "tiff_adobe_deflate"}),
    ("AVIF", "AVIF", {"quality": 50, "speed": 10}),
    ("JPEG2000", "JPEG 2000", {"quality_mode": "rates", "quality_layers": [20], "irreversible": True}),
]


def main() -> None:
    print(f"{machine()}; {MAX_PIXELS:,} pixels\n\n| format | MB | time / baseline JPEG |\n|---|---|---|")
    image = smooth(math.isqrt(MAX_PIXELS))
    base = None
    for kind, name, options in KINDS:
        data = written(image, kind, options)
        seconds = decoding(data)
        base = base or seconds
        print(f"| {name} | {len(data) / 1e6:.1f} | {seconds / base:.1f} |", flush=True)
    data = with_scans(Image.new("L", image.size, 128), 29)
    print(f"| JPEG, as many scans as are read (30) | {len(data) / 1e6:.1f} | {decoding(data) / (base or 1):.1f} |")


def smooth(side: int) -> Image.Image:
    """RGB waves: what a decoder has to do, in few bytes."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    waves = [(np.sin(x / 300 + channel) * np.cos(y / 200) * 127 + 128).astype(np.uint8) for channel in range(3)]
    return Image.fromarray(np.stack(waves, -1))


def written(image: Image.Image, kind: str, options: dict[str, object]) -> bytes:
    """The file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def with_scans(grey: Image.Image, scans: int) -> bytes:
    """A progressive JPEG, its last scan repeated until there are `scans`."""
    data = written(grey, "JPEG", {"progressive": True})
    more = scans - data.count(b"\xff\xda")
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * more + data[-2:]


def decoding(data: bytes) -> float:
    """Seconds, the shorter of two."""
    taken = []
    for _ in range(2):
        begun = time.perf_counter()
        open_picture(data)
        taken.append(time.perf_counter() - begun)
    return min(taken)


if __name__ == "__main__":
    main()
