"""The encoder whose waiting threads sleep, and whose ask for work: `python -m benchmarks.busy_encoder`.

On idle cores and on busy ones (`benchmarks.busy_products`). OpenMP reads how its threads are to wait when it is loaded,
so every round is a process of its own, in turns.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import tyro

from benchmarks.busy_products import company
from benchmarks.machine import machine
from sae_core.openmp import POLICY_VARIABLE, waiting_threads_sleep


def main(rounds: int = 3, encoder: str = "demo") -> None:
    """Medians of the rounds' medians."""
    print(machine())
    for said, n_busy in (("idle", 0), ("busy", os.cpu_count() or 1)):
        taken: dict[bool, list[dict[str, float]]] = {True: [], False: []}
        with company(n_busy):
            for asleep in [True, False] * rounds:
                taken[asleep].append(_in_a_process(encoder, asleep))
        for name in taken[True][0]:
            sleeping, asking = (statistics.median(one[name] for one in taken[asleep]) for asleep in (True, False))
            ratio = asking / sleeping
            print(f"{said} cores, {name}: {1e3 * sleeping:.1f} ms asleep; {ratio:.2f} times that asking", flush=True)


def _in_a_process(encoder: str, asleep: bool) -> dict[str, float]:
    os.environ.pop(POLICY_VARIABLE, None)
    if asleep:
        waiting_threads_sleep()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(encoding_seconds, encoder).result()


def encoding_seconds(reference: str) -> dict[str, float]:
    """Medians over three seconds each."""
    import torch

    from sae_core.encoder.clip import ClipEncoder

    encoder = ClipEncoder.load(reference)
    side = encoder.preprocessing.crop
    pixels = torch.randint(0, 255, (32, side, side, 3), dtype=torch.uint8)
    return {
        "a picture": _median(lambda: encoder.encode_pixels(pixels[:1])),
        "32 pictures": _median(lambda: encoder.encode_pixels(pixels)),
        "a text": _median(lambda: encoder.encode_texts(["a dog on a beach"])),
    }


def _median(work: Callable[[], object], seconds: float = 3.0) -> float:
    work()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while not taken or time.perf_counter() < end:
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    tyro.cli(main)
