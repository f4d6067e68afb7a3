"""New arrays on disk, written through a memory map."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import DTypeLike


def new_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros in a new `.npy` file, all of its blocks taken. Raises OSError where the disk has no room for them.

    Without that the file is sparse, and the write that finds no room ends the process (SIGBUS) instead of raising.
    """
    array: np.ndarray = open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                error.filename = str(path)
                raise
    return array
