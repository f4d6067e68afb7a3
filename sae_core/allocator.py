"""Keeps freed memory in the process, where the C library can."""

from __future__ import annotations

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
_LARGEST_MMAP_THRESHOLD = 32 * 1024 * 1024  # glibc takes no larger one


def keep_freed_memory() -> None:
    """Lets glibc reuse the tens of megabytes that a vision tower's layers allocate and free for every batch.

    By default each goes back to the kernel and comes again as zeroed pages: on a virtual machine a large part of the
    encoder's CPU time (`python -m benchmarks.allocator`). For processes that encode for long; without glibc a no-op.
    """
    with contextlib.suppress(OSError, AttributeError):  # musl, macOS, Windows
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
