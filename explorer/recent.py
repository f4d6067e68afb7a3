"""The latest results of a long question, as many as fit into a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

import numpy as np

_OF_ONE = 1_024  # bytes that a result takes at least, with its key: those that found nothing would never go


class RecentArrays:
    """Tuples of arrays by key; the one that was used longest ago goes first. For several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, tuple[np.ndarray, ...]] = OrderedDict()
        self._n_bytes = 0
        self._lock = Lock()

    @property
    def n_bytes(self) -> int:
        """Size of what is kept."""
        return self._n_bytes

    def peek(self, key: Hashable) -> tuple[np.ndarray, ...] | None:
        """What is kept under the key; None where nothing is."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def get(self, key: Hashable, compute: Callable[[], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
        """What is kept under the key, or what `compute` answers; two threads may compute the same at once."""
        found = self.peek(key)
        if found is not None:
            return found
        arrays = compute()
        with self._lock:
            self._n_bytes += _size(arrays) - _size(self._kept.pop(key, None))
            self._kept[key] = arrays
            while self._n_bytes > self._max_bytes:
                self._n_bytes -= _size(self._kept.popitem(last=False)[1])
        return arrays


def _size(arrays: tuple[np.ndarray, ...] | None) -> int:
    return 0 if arrays is None else _OF_ONE + sum(array.nbytes for array in arrays)
