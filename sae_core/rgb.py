"""Pictures of other modes as RGB: transparency on white, depth scaled, a strip of the picture at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

_WHITE = (255, 255, 255, 255)
_STRIP = 1 << 20  # pixels that are converted at a time


def by_strips(image: Image.Image, seen: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """`seen`, which looks at single pixels, of a whole picture: its intermediate steps take several times the room."""
    made = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        made.paste(seen(strip), (0, top))
    return made


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    height = max(1, _STRIP // image.width)
    for top in range(0, image.height, height):
        yield top, image.crop((0, top, image.width, min(top + height, image.height)))


class White:
    """Under a transparent picture; remembers whether it shows anywhere, which many that could do not let it."""

    def __init__(self) -> None:
        self.shows = False

    def __call__(self, image: Image.Image) -> Image.Image:
        """The picture on white."""
        rgba = image.convert("RGBA")
        self.shows = self.shows or bool((np.asarray(rgba.getchannel("A")) < 255).any())
        return Image.alpha_composite(Image.new("RGBA", rgba.size, _WHITE), rgba).convert("RGB")


def grey(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """16-bit and float grey scaled to 8 bits; a plain convert would clip at 255 and show white.

    Integers are 16-bit samples (0 … 65535); floats, which have no range of their own, are stretched to theirs.
    """
    low, high = _finite_range(image) if image.mode == "F" else (0.0, 65535.0)

    def scaled(strip: Image.Image) -> Image.Image:
        values = np.asarray(strip, dtype=np.float64)
        values = np.nan_to_num((values - low) / (high - low) if high > low else values * 0, posinf=1, neginf=0)
        return Image.fromarray((np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)).convert("RGB")

    return scaled


def _finite_range(image: Image.Image) -> tuple[float, float]:
    """Smallest and largest finite value; zeros where there is none."""
    low, high = np.inf, -np.inf
    for _, strip in _strips(image):
        values = np.asarray(strip, dtype=np.float64)
        finite = values[np.isfinite(values)]
        low, high = min(low, finite.min(initial=np.inf)), max(high, finite.max(initial=-np.inf))
    return (float(low), float(high)) if np.isfinite(low) else (0.0, 0.0)
