"""CPU time of this process's threads by their names, those that have ended among them."""

from __future__ import annotations

import threading
from collections import defaultdict

import psutil

_EVERY = 0.2  # seconds between looks: what a thread does after the last one is lost


class ThreadTimes:
    """Looks now and then while its `with` block runs. Threads that Python does not know are "outside Python"."""

    def __init__(self) -> None:
        self._before = {thread.id: thread for thread in psutil.Process().threads()}
        self._last: dict[int, tuple[str, float, float]] = {}
        self._done = threading.Event()
        self._looker = threading.Thread(target=self._look_on, name="looker")

    def __enter__(self) -> ThreadTimes:
        self._looker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._looker.join()

    def said(self, n: int) -> str:
        """Microseconds for each of n things, of the program and of the kernel for it."""
        sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
        for name, user, system in self._last.values():
            for place, more in enumerate((1, user, system)):
                sums[name][place] += more
        each = sorted(sums.items(), key=lambda of: -of[1][1] - of[1][2])
        return ", ".join(
            f"{name} (x{threads:.0f}) {1e6 * user / n:.0f} + {1e6 * system / n:.0f}"
            for name, (threads, user, system) in each
        )

    def _look_on(self) -> None:
        while not self._done.wait(_EVERY):
            self._look()
        self._look()

    def _look(self) -> None:
        names = {thread.native_id: thread.name.rpartition("_")[0] or thread.name for thread in threading.enumerate()}
        for thread in psutil.Process().threads():
            was = self._before.get(thread.id)
            user, system = (thread.user_time, thread.system_time)
            spent = (user - was.user_time, system - was.system_time) if was else (user, system)
            name = names.get(thread.id) or self._last.get(thread.id, ("outside Python",))[0]
            self._last[thread.id] = (name, *spent)
