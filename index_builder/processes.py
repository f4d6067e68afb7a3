"""The encode stage in several processes that share one GPU.

The threads that feed a fast GPU wait for one another, in Python and in the driver. Each process makes whole shards, as
a cluster's machines do, and a shard's bytes follow from the plan alone.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from index_builder.makers import Job, ShardMaker
from index_builder.stages import die_with_the_parent
from sae_core.errors import BuildError

_EVERY = 0.2  # seconds between looks at how far they are
_NEXT, _SLOTS, _REJECTS = range(3)  # of what they share: the shard that nobody has taken, and what all have done
_shared: Any = None  # in such a process: an array of those, with a lock


def encode_in_processes(job: Job, shards: Sequence[int], n: int, progress: Callable[[int, int], None]) -> None:
    """Makes shards in n processes. Raises BuildError where one of them is killed, and whatever one of them raises."""
    context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    shared: Any = context.Array("q", 3)
    seen = shared.get_obj()  # without the lock: a process may be killed while it has it
    said = _Progress(seen, progress)
    with ProcessPoolExecutor(n, context, _start, (shared,)) as pool:
        with _deaf():
            running = {pool.submit(_make, job, list(shards)) for _ in range(n)}
        try:
            while running:
                ended, running = wait(running, _EVERY, FIRST_EXCEPTION)
                said.update()
                for future in ended:
                    future.result()
        except BrokenProcessPool as error:
            raise BuildError(
                "a process that encodes was killed (too little memory?); the same command goes on"
            ) from error
        finally:
            seen[_NEXT] = len(shards)  # one that was stopped finishes what it has taken


class _Progress:
    """What has been done since the last look."""

    def __init__(self, seen: Any, progress: Callable[[int, int], None]) -> None:
        self._seen, self._progress = seen, progress
        self._slots = self._rejects = 0

    def update(self) -> None:
        """Reports it."""
        slots, rejects = self._seen[_SLOTS], self._seen[_REJECTS]
        if slots > self._slots:
            self._progress(slots - self._slots, rejects - self._rejects)
        self._slots, self._rejects = slots, rejects


def _start(shared: Any) -> None:
    global _shared
    _shared = shared
    die_with_the_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the builder hears it, and lets this one finish its shards


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started here do not hear Ctrl-C, as the builder does, not even while they import, before `_start`.

    They inherit that it is blocked. What is pressed meanwhile is heard here afterwards.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _make(job: Job, shards: Sequence[int]) -> None:
    ShardMaker(job).make(_taken(shards), _count)


def _taken(shards: Sequence[int]) -> Iterator[int]:
    """Shards that no other process has taken, each when it is asked for: all end at about the same time."""
    while True:
        with _shared.get_lock():
            place = _shared[_NEXT]
            _shared[_NEXT] = min(place + 1, len(shards))
        if place >= len(shards):
            return
        yield shards[place]


def _count(slots: int, rejects: int) -> None:
    with _shared.get_lock():
        _shared[_SLOTS] += slots
        _shared[_REJECTS] += rejects
