"""Stages that run at the same time, each in a thread of its own: what they wait for is outside Python."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_END = object()


@dataclass
class Clock:
    """Seconds that a stage's thread took, for its input and its work, and that the next one waited for its output."""

    taken: float = 0.0
    waited: float = 0.0


def ahead(items: Iterator[T], name: str = "ahead", *, n: int = 2, clock: Clock | None = None) -> Iterator[T]:
    """The same items in order, made in a thread of that name, up to n of them ahead; its errors are raised here."""
    clock = clock or Clock()

    def made() -> T | object:
        began = time.perf_counter()
        item = next(items, _END)
        clock.taken += time.perf_counter() - began
        return item

    with ThreadPoolExecutor(1, name) as thread:
        waiting = deque(thread.submit(made) for _ in range(n))
        try:
            while (item := _result(waiting, clock)) is not _END:
                waiting.append(thread.submit(made))
                yield item  # type: ignore[misc]
        finally:
            for future in waiting:
                future.cancel()


def in_turns(items: Iterator[T], name: str = "") -> Iterator[T]:
    """The same items, each made when it is asked for."""
    return items


def _result(waiting: deque[Future[object]], clock: Clock) -> object:
    began = time.perf_counter()
    item = waiting.popleft().result()
    clock.waited += time.perf_counter() - began
    return item
