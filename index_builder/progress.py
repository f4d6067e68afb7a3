"""Progress bars of a build, and what feeds them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm


def bar(stage: str, total: int, unit: str = "img") -> tqdm[Any]:
    """A progress bar with rate and time left on a terminal; in a log, one line in ten seconds at most."""
    slow = not sys.stderr.isatty()
    return tqdm(
        total=total, desc=stage, unit=unit, dynamic_ncols=True, mininterval=10 if slow else 0.2, file=sys.stderr
    )


def adder(bar: tqdm[Any]) -> Callable[[int], None]:
    """Adds to a bar, whatever `update` returns."""

    def add(n: int) -> None:
        bar.update(n)

    return add


def namer(bar: tqdm[Any]) -> Callable[[str], None]:
    """Names the step that begins."""

    def begin(step: str) -> None:
        bar.set_description(f"analyse: {step}")
        bar.update()

    return begin


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
