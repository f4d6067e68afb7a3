"""Few rows of a large file: what they are, and that nothing around them is read."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import numpy as np
import pytest

from sae_core.store.rows import rows_of

WIDTH = 96  # numbers a row: 384 bytes, so that some rows lie on two pages


@pytest.fixture
def mapped(tmp_path: Path) -> np.memmap:
    """8 MB that are on the disk and, where the file system allows it, nowhere else."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "rows.npy", rng.standard_normal((2**13, WIDTH), dtype=np.float32))
    array: np.memmap = np.load(tmp_path / "rows.npy", mmap_mode="r")
    with open(tmp_path / "rows.npy", "rb+") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return array


def in_memory(array: np.memmap) -> np.ndarray:
    """Which pages of the map are, by mincore(2)."""
    begin = array.ctypes.data - array.offset
    found = (ctypes.c_ubyte * -(-len(array.base) // mmap.PAGESIZE))()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mincore(ctypes.c_void_p(begin), ctypes.c_size_t(len(array.base)), found) == 0
    return np.frombuffer(found, np.uint8) & 1 > 0


@pytest.mark.parametrize("n_all", [0, 10**6])
def test_rows_come_in_the_order_asked_for(mapped: np.memmap, n_all: int) -> None:
    whole, asked = np.array(mapped), [8191, 0, 17, 17, 4000]
    np.testing.assert_array_equal(rows_of(mapped, asked, n_all), whole[asked])
    np.testing.assert_array_equal(rows_of(whole, asked), whole[asked])
    np.testing.assert_array_equal(rows_of(mapped, range(8192)), whole)
    assert rows_of(mapped, []).shape == (0, WIDTH)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="mincore as Linux has it")
def test_nothing_around_few_rows_is_read(mapped: np.memmap) -> None:
    if in_memory(mapped).any():
        pytest.skip("this file system keeps its files in memory")
    rows = [21, 42, 3000, 6000]  # 42 lies on two pages, 21 on one because of what stands before the rows
    pages = {(mapped.offset + row * WIDTH * 4 + end) // mmap.PAGESIZE for row in rows for end in (0, WIDTH * 4 - 1)}
    assert len(pages) == 5
    rows_of(mapped, rows)
    assert set(np.flatnonzero(in_memory(mapped)).tolist()) == pages
    rows_of(mapped, [7000], n_all=10**6)
    assert in_memory(mapped).sum() > 10, "else what is not asked for shows nothing"
