"""What `--decode reduced` saves: `python -m benchmarks.large_jpegs`. On one core, made-up photographs.

Decoding, cropping for the encoder and the thumbnail, with JPEGs decoded whole and no larger than needed, in turns.
What it costs is in `python -m benchmarks.precision`.
"""

from __future__ import annotations

import statistics
import time
from typing import get_args

import numpy as np
import torch
import tyro

from benchmarks.machine import machine
from benchmarks.photographs import photograph
from benchmarks.vits import vit
from index_builder.decode import short_side
from sae_core.encoder.preprocessing import Decoder, Preprocessing
from sae_core.pictures import open_picture
from sae_core.thumbnails import encode_thumbnail

_SIDE = 256
_SIZES = ((500, 375), (1_024, 768), (2_048, 1_536), (4_000, 3_000))


def main(rounds: int = 9) -> None:
    """Prints a line for each size."""
    torch.set_num_threads(1)
    preprocessing, rng = vit().preprocessing, np.random.default_rng(0)
    print(machine())
    for size in _SIZES:
        data = [photograph(rng, size) for _ in range(max(1, 2**22 // (size[0] * size[1])))]
        ratios, whole = [], []
        for _ in range(rounds):
            taken = {
                decoder: seconds(data, preprocessing, decoder) for decoder in get_args(Decoder) if decoder != "gpu"
            }
            ratios.append(taken["reduced"] / taken["cpu"])
            whole.append(1000 * taken["cpu"] / len(data))
        low, high = min(ratios), max(ratios)
        print(
            f"{size[0]} x {size[1]}: {statistics.median(whole):.1f} ms a picture; "
            f"reduced {statistics.median(ratios):.2f} of it ({low:.2f} to {high:.2f})",
            flush=True,
        )


def seconds(jpegs: list[bytes], preprocessing: Preprocessing, decoder: Decoder) -> float:
    """Of everything but reading and encoding."""
    least = short_side(decoder, preprocessing, _SIDE)
    began = time.perf_counter()
    for data in jpegs:
        picture = open_picture(data, least)
        preprocessing.crop_pixels(picture.pixels)
        encode_thumbnail(picture, _SIDE)
    return time.perf_counter() - began


if __name__ == "__main__":
    tyro.cli(main)
