"""Progress bars of a build, and what feeds them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")


def bar(stage: str, total: int | None, unit: str = "img", delay: float = 0) -> tqdm[Any]:
    """A progress bar with rate and time left on a terminal; in a log, one line in ten seconds at most."""
    slow = not sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=stage,
        unit=unit,
        dynamic_ncols=True,
        mininterval=10 if slow else 0.2,
        file=sys.stderr,
        delay=delay,
    )


def counted(things: Iterable[T], stage: str, unit: str) -> Iterator[T]:
    """The same things, counted on a bar where they take more than two seconds to come."""
    total = len(things) if isinstance(things, Sized) else None
    with bar(stage, total, unit, delay=2) as shown:
        for thing in things:
            yield thing
            shown.update()


def adder(bar: tqdm[Any]) -> Callable[[int], None]:
    """Adds to a bar, whatever `update` returns."""

    def add(n: int) -> None:
        bar.update(n)

    return add


@contextmanager
def analysis(n_steps: int, after: tqdm[Any] | None = None) -> Iterator[Callable[[str], None]]:
    """A bar of steps, told the name of each that begins; it appears with the first, which ends the bar `after`."""
    made: list[tqdm[Any]] = []

    def begin(step: str) -> None:
        if not made:
            if after is not None:
                after.close()
            made.append(bar("analyse", n_steps, unit="step"))
        made[0].set_description(f"analyse: {step}")
        made[0].update()

    try:
        yield begin
    finally:
        for shown in made:
            shown.close()


def reporter(bar: tqdm[Any]) -> Callable[[int, int], None]:
    """Adds slots, and says how many were rejected so far."""
    rejected = 0

    def report(n_slots: int, n_rejects: int) -> None:
        nonlocal rejected
        rejected += n_rejects
        if n_rejects:
            bar.set_postfix(rejected=rejected, refresh=False)
        bar.update(n_slots)

    return report
