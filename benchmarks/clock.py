"""How long a call takes."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def clocked(work: Callable[[], object], device: str = "cpu") -> float:
    """Seconds of one call, until a GPU has done what it was asked."""
    began = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began
