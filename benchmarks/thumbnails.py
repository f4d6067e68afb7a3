"""A thumbnail beside Pillow's: `python -m benchmarks.thumbnails`.

On one thread, in turns, for made-up photographs of ImageNet's usual size.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
import tyro

from benchmarks.machine import machine
from benchmarks.photographs import photograph
from sae_core.pictures import Picture, open_picture
from sae_core.thumbnails import encode_thumbnail

_SIDE = 256


def main(pictures: int = 60, rounds: int = 9) -> None:
    """Prints milliseconds a picture and the median ratio."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    given = [open_picture(photograph(rng)) for _ in range(pictures)]
    encode_thumbnail(given[0], _SIDE)  # its imports
    for one in given:
        _ = one.rgb, one.pixels  # the builder has the array, Pillow its image
    turns = [(milliseconds(pillow, given), milliseconds(ours, given)) for _ in range(rounds)]
    ratios = sorted(b / a for a, b in turns)
    pillow_ms, our_ms = (statistics.median(column) for column in zip(*turns, strict=True))
    print(machine())
    print(
        f"  {statistics.median(ratios):.2f} of Pillow's time ({ratios[0]:.2f} to {ratios[-1]:.2f}); "
        f"{our_ms:.2f} ms beside {pillow_ms:.2f} ms"
    )


def milliseconds(work: Callable[[Picture], bytes], given: Sequence[Picture]) -> float:
    """Of one of them."""
    began = time.perf_counter()
    for one in given:
        work(one)
    return 1000 * (time.perf_counter() - began) / len(given)


def ours(picture: Picture) -> bytes:
    """As the builder makes it."""
    return encode_thumbnail(picture, _SIDE)


def pillow(picture: Picture) -> bytes:
    """Shrunk and written by Pillow."""
    small, out = picture.rgb.copy(), io.BytesIO()
    small.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
    small.save(out, "JPEG", quality=85, subsampling=0)
    return out.getvalue()


if __name__ == "__main__":
    tyro.cli(main)
