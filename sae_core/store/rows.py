"""Few rows of a large mapped file."""

from __future__ import annotations

import mmap
from collections.abc import Sequence

import numpy as np

_FEW = 1_000  # one row in so many: of more a few visits take longer than to read the whole file once


def rows_of(array: np.ndarray, rows: Sequence[int] | np.ndarray, n_all: int = 0) -> np.ndarray:
    """A copy of some rows of an array, in the order asked for; they may be a part of `n_all` that will be read.

    A row that is not in memory stops whoever reads it until the disk has brought it, and up to megabytes around it. So
    where a mapped file's rows are few, the system is first asked for the pages of all of them: it brings these alone,
    many at a time, and does not wait.
    """
    numbers = np.asarray(rows, dtype=np.int64)
    few = max(len(numbers), n_all) * _FEW <= len(array)
    if few and isinstance(array, np.memmap) and hasattr(mmap, "MADV_WILLNEED"):
        _ask(array, numbers)
    return np.array(array[numbers])


def _ask(array: np.memmap, rows: np.ndarray) -> None:
    mapped = array.base
    if not isinstance(mapped, mmap.mmap):
        return  # a part of another array
    begin = array.offset % mmap.ALLOCATIONGRANULARITY  # of the rows, in what is mapped
    first = (begin + rows * array.strides[0]) // mmap.PAGESIZE
    last = (begin + (rows + 1) * array.strides[0] - 1) // mmap.PAGESIZE
    for one, other in np.unique(np.stack([first, last], axis=1), axis=0).tolist():
        mapped.madvise(mmap.MADV_WILLNEED, one * mmap.PAGESIZE, (other - one + 1) * mmap.PAGESIZE)
