"""A fair line: one at a time, in the order of arrival, and everybody may know how many are before them.

The encoder uses every core; two at once would only slow each other down, and whoever came first would not be first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Condition

from sae_core.errors import SparsightError

Told = Callable[[int], None]  # how many are before one; 0 once after any other number: the turn has come
_TOLD_EVERY = 0.5  # seconds: telling is also how one finds out that a visitor has left


class BusyError(SparsightError):
    """The line is full."""


class Turns:
    """The line before something that is used by one at a time. For threads of one process."""

    def __init__(self, most: int) -> None:
        """`most` may be in the line, the one whose turn it is among them."""
        self._most = most
        self._line: deque[Turn] = deque()  # the first has the turn
        self._changed = Condition()

    def __len__(self) -> int:
        return len(self._line)

    @contextmanager
    def turn(self, told: Told = lambda _: None) -> Iterator[Turn]:
        """Waits for the turn and keeps it until the block ends.

        `told` is called while one waits, whenever the number changes and twice a second; what it raises gives the place
        up. Raises BusyError where the line is full.
        """
        turn = Turn(self, told)
        with self._changed:
            if len(self._line) >= self._most:
                raise BusyError(f"{len(self._line)} others are waiting for the encoder; try again in a minute")
            self._line.append(turn)
        try:
            self._wait(turn)
            yield turn
        finally:
            with self._changed:
                self._line.remove(turn)
                self._changed.notify_all()

    def give_way(self, turn: Turn) -> None:
        """Lets everybody who waits go first, once each."""
        with self._changed:
            if len(self._line) == 1:
                return
            self._line.rotate(-1)
            self._changed.notify_all()
        self._wait(turn)

    def _wait(self, turn: Turn) -> None:
        waited = False
        while before := self._line.index(turn):
            waited = True
            turn.told(before)  # outside the lock: it may take its time, and may raise
            with self._changed:
                self._changed.wait_for(lambda: self._line.index(turn) != before, _TOLD_EVERY)
        if waited:
            turn.told(0)


class Turn:
    """One's turn, to be had or to be waited for."""

    def __init__(self, turns: Turns, told: Told) -> None:
        self._turns, self.told = turns, told

    def give_way(self) -> None:
        """Between two parts of long work: everybody who waits goes first, once each."""
        self._turns.give_way(self)


class TurnsByKey:
    """A line for each key: what several want to compute, one does, and the others find it done."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, Turns] = {}
        self._users: dict[Hashable, int] = {}
        self._lock = Condition()

    @contextmanager
    def turn(self, key: Hashable, told: Told = lambda _: None) -> Iterator[Turn]:
        """As of `Turns`. The next in the line takes over where one leaves."""
        with self._lock:
            line = self._lines.setdefault(key, Turns(most=1_000))
            self._users[key] = self._users.get(key, 0) + 1
        try:
            with line.turn(told) as turn:
                yield turn
        finally:
            with self._lock:
                self._users[key] -= 1
                if not self._users[key]:
                    del self._lines[key], self._users[key]
