"""The stages of a build on a GPU while all of them run: which is the slowest, and what the cores do meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from unittest import mock

import psutil

from benchmarks.threads import ThreadTimes
from index_builder import stages
from index_builder.ahead import Clock, ahead


@contextlib.contextmanager
def while_running(n: int) -> Iterator[None]:
    """Prints what n pictures took in each stage; nothing where stages take turns, as on a CPU."""
    clocks: dict[str, Clock] = {}

    def clocked(items: Iterator[object], name: str) -> Iterator[object]:
        clocks[name] = Clock()
        return ahead(items, name, clock=clocks[name])

    began = time.perf_counter()
    psutil.cpu_percent()
    with mock.patch.object(stages, "ahead", clocked), ThreadTimes() as threads:
        yield
    if clocks:
        report(clocks, n, time.perf_counter() - began)
        print(f"  CPU of this process's threads, us a picture: {threads.said(n)}", flush=True)
        print(f"  cores {psutil.cpu_percent():.0f} % busy", flush=True)


def report(clocks: dict[str, Clock], n: int, seconds: float) -> None:
    """A stage's own time is what its thread took, less what it waited for the stage before."""
    before, said = 0.0, []
    for name, clock in clocks.items():
        said.append(f"{name} {1e6 * (clock.taken - before) / n:.0f}")
        before = clock.waited
    said.append(f"write {1e6 * (seconds - before) / n:.0f}")
    print(f"  while all run, us a picture: {', '.join(said)}", flush=True)
