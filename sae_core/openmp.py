"""How OpenMP's threads, which are PyTorch's and FAISS's, wait for work."""

from __future__ import annotations

import os

POLICY_VARIABLE = "OMP_WAIT_POLICY"


def waiting_threads_sleep() -> None:
    """Threads that wait for the next operation sleep; to be called before PyTorch and FAISS are loaded, which read it.

    By default they ask again and again for milliseconds whether it is there. Where a core has something else to do, or
    two of them share one, an operation of microseconds then waits for turns of milliseconds: a picture's encoding took
    19 times as long (`python -m benchmarks.busy_encoder`). Whoever set OMP_WAIT_POLICY is obeyed.
    """
    os.environ.setdefault(POLICY_VARIABLE, "passive")
