"""The memory of this process: its own, without what the system keeps of files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def peak() -> Iterator[list[float]]:
    """MB of anonymous memory beyond those at the start, the most of a look every 5 ms. Linux only."""
    begun, most, done = anonymous(), [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], anonymous() - begun)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    yield most
    done.set()
    looking.join()


def anonymous() -> float:
    """MB that are not mapped from a file; of mapped ones the system decides what to keep."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024 / 1e6
