"""The GPU's resampling kernel, run by Triton's interpreter on the CPU, beside Pillow's resize."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("triton", reason="no Triton on this platform")

# A process of its own: whether kernels are interpreted is decided when Triton is imported.
SCRIPT = """
import numpy as np
import torch
from PIL import Image
from sae_core.encoder.preprocessing import Frame, Preprocessing
from sae_core.encoder.resampling import Wanted
from sae_core.encoder.resampling_kernel import resample
from sae_core.thumbnails import thumbnail_size

SIZES = [(80, 60), (33, 200), (64, 64), (300, 50), (40, 40), (20, 30), (60, 300), (900, 11)]
PREPROCESSING = Preprocessing(resize=40, crop=32, mean=(0,) * 3, std=(1,) * 3)
rng = np.random.default_rng(0)
pictures = [torch.from_numpy(rng.integers(0, 256, (3, height, width), dtype=np.uint8)) for width, height in SIZES]
for name, filter in (("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)):
    crops = [PREPROCESSING.frame(*size) for size in SIZES]
    whole = [Frame((0, 0, *size), thumbnail_size(size, 48)) for size in SIZES]
    wanted = [Wanted(frames, name, torch.full((len(SIZES), side, side, 3), 7, dtype=torch.uint8))
              for frames, side in ((crops, 32), (whole, 48))]
    resample(pictures, wanted)
    for frames, _, out in wanted:
        for picture, frame, made in zip(pictures, frames, out.numpy()):
            image = Image.fromarray(picture.permute(1, 2, 0).numpy())
            width, height = frame.size
            pillows = np.asarray(image.resize(frame.size, filter, box=frame.box), dtype=int)
            off = np.abs(made[:height, :width] - pillows)
            assert off.max() <= 1 and (off != 0).mean() < 0.1, (image.size, frame, off.max(), (off != 0).mean())
            assert (made[height:] == 7).all() and (made[:, width:] == 7).all(), "beyond a picture nothing is written"
print("alike")
"""


def test_it_is_pillows_but_for_rounding() -> None:
    here = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-c", SCRIPT]
    ran = subprocess.run(command, check=False, env=here, capture_output=True, text=True, timeout=280)
    assert ran.stdout == "alike\n", ran.stderr
