"""NumPy's products in one thread and in one a core, on idle and on busy cores: `python -m benchmarks.busy_products`.

Busy: one process a core that computes without end, as other visitors' pages do. The work is a page's: the span of 200
pictures' embeddings, and their products with 4,096 directions.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import tyro
from threadpoolctl import threadpool_limits

from benchmarks.machine import machine


def main(rounds: int = 15) -> None:
    """Medians; one thread and many in turns."""
    print(machine())
    for said, n_busy in (("idle", 0), ("busy", os.cpu_count() or 1)):
        with company(n_busy):
            for name, work in works().items():
                one, many = in_turns(work, rounds)
                ratio = many / one
                print(
                    f"{said} cores, {name}: one thread {1e3 * one:.1f} ms; one a core {ratio:.2f} times that",
                    flush=True,
                )


def works() -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    rng = np.random.default_rng(0)
    pictures, directions = (rng.normal(size=(n, 512)).astype(np.float32) for n in (200, 4_096))
    return {
        "span of 200 embeddings": lambda: np.linalg.svd(pictures, full_matrices=False),
        "200 x 4,096 products": lambda: pictures @ directions.T,
    }


def in_turns(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Seconds in one thread and in as many as there are cores."""
    taken: dict[int, list[float]] = {1: [], os.cpu_count() or 1: []}
    for _ in range(rounds):
        for n, seconds in taken.items():
            with threadpool_limits(n, user_api="blas"):
                began = time.perf_counter()
                work()
                seconds.append(time.perf_counter() - began)
    one, many = (statistics.median(seconds) for seconds in taken.values())
    return one, many


@contextmanager
def company(n: int) -> Iterator[None]:
    """So many processes that never rest."""
    processes = [multiprocessing.get_context("spawn").Process(target=restless, daemon=True) for _ in range(n)]
    for process in processes:
        process.start()
    time.sleep(2 * bool(n))  # until they have begun
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def restless() -> None:
    """Never ends."""
    while True:
        pass


if __name__ == "__main__":
    tyro.cli(main)
