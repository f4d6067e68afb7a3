"""The stages of a build on a GPU while all of them run: which is the slowest, and how busy the cores are."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from index_builder import stages
from index_builder.ahead import Clock, ahead

_STAGES = ("load", "decode", "shrink", "encode", "thumbnails")  # as index_builder.stages has them; "write" is last


@contextlib.contextmanager
def while_running(n: int) -> Iterator[None]:
    """Prints what n pictures took in each stage; nothing where stages take turns, as on a CPU."""
    clocks: list[Clock] = []

    def clocked(items: Iterator[object]) -> Iterator[object]:
        clocks.append(Clock())
        return ahead(items, clock=clocks[-1])

    began, cpu, ticks = time.perf_counter(), time.process_time(), ticks_of_cores()
    with mock.patch.object(stages, "ahead", clocked):
        yield
    if clocks:
        busy, of_all = (now - then for now, then in zip(ticks_of_cores(), ticks, strict=True))
        report(clocks, n, time.perf_counter() - began, time.process_time() - cpu)
        print(f"  cores {100 * busy / of_all:.0f} % busy", flush=True)


def report(clocks: list[Clock], n: int, seconds: float, cpu: float) -> None:
    """A stage's own time is what its thread took, less what it waited for the stage before."""
    before, said = 0.0, []
    for name, clock in zip(_STAGES, clocks, strict=True):
        said.append(f"{name} {1e6 * (clock.taken - before) / n:.0f}")
        before = clock.waited
    said.append(f"write {1e6 * (seconds - before) / n:.0f}")
    print(f"  while all run, us a picture: {', '.join(said)}; {1e6 * cpu / n:.0f} of CPU in this process", flush=True)


def ticks_of_cores() -> tuple[int, int]:
    """Clock ticks of all cores since the start, busy and together."""
    user, nice, system, idle, iowait, *others = map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:])
    busy = user + nice + system + sum(others[:3])
    return busy, busy + idle + iowait
