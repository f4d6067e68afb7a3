"""The line before the encoder: one at a time, in order, nobody forgotten, and whoever leaves is not waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from explorer import waiting
from explorer.recent import RecentArrays
from explorer.turns import BusyError, Turns, TurnsByKey
from tests.explorer.conftest import run_page


class Left(Exception):
    """A visitor who went elsewhere."""


def until(condition: Callable[[], bool]) -> None:
    """A busy machine is slow, not wrong."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def started(*jobs: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    return threads


def in_order(turns: Turns, n: int, job: Callable[[int], None]) -> list[threading.Thread]:
    """n threads that have come to the line one after the other."""
    threads = []
    for number in range(n):
        before = len(turns)
        threads += started(lambda number=number: job(number))  # type: ignore[misc]
        until(lambda before=before: len(turns) > before)  # type: ignore[misc]
    return threads


def test_in_the_order_of_arrival_one_at_a_time() -> None:
    turns, served, inside = Turns(16), [], []

    def visit(number: int) -> None:
        with turns.turn():
            inside.append(number)
            assert inside == [number]
            served.append(number)
            inside.remove(number)

    with turns.turn():
        threads = in_order(turns, 8, visit)
        assert served == []
    for thread in threads:
        thread.join()
    assert served == list(range(8))
    assert len(turns) == 0


def test_everybody_is_told_how_many_are_before() -> None:
    turns, told = Turns(16), {number: list[int]() for number in range(3)}

    def visit(number: int) -> None:
        with turns.turn(told[number].append):
            pass

    with turns.turn(told.setdefault(9, []).append):
        threads = in_order(turns, 3, visit)
        until(lambda: all(told[number] for number in range(3)))
    for thread in threads:
        thread.join()
    assert told[9] == []  # nobody waits who need not
    for number in range(3):
        seen = list(dict.fromkeys(told[number]))
        assert seen[0] == number + 1
        assert seen[-1] == 0
        assert seen == sorted(seen, reverse=True)


def test_who_leaves_the_line_is_not_waited_for() -> None:
    turns, served = Turns(16), []
    gone = threading.Event()

    def visit(number: int) -> None:
        def told(_: int) -> None:
            if number == 1 and gone.is_set():
                raise Left

        try:
            with turns.turn(told):
                served.append(number)
        except Left:
            served.append(-number)

    with turns.turn():
        threads = in_order(turns, 3, visit)
        gone.set()
        until(lambda: -1 in served)
        assert len(turns) == 3
    for thread in threads:
        thread.join()
    assert served == [-1, 0, 2]


def test_an_error_inside_gives_the_turn_on() -> None:
    turns = Turns(2)
    with pytest.raises(Left), turns.turn():
        raise Left
    with turns.turn():
        assert len(turns) == 1


def test_a_full_line_says_so() -> None:
    turns = Turns(2)

    def visit(_: int) -> None:
        with turns.turn():
            pass

    with turns.turn():
        (thread,) = in_order(turns, 1, visit)
        with (
            pytest.raises(BusyError, match="2 others are waiting for the encoder; try again in a minute"),
            turns.turn(),
        ):
            pass
        assert len(turns) == 2
    thread.join()


def test_long_work_lets_each_of_those_who_wait_go_first_once() -> None:
    turns, served = Turns(16), []

    def long_work(name: str) -> None:
        with turns.turn() as turn:
            for part in range(3):
                served.append(f"{name}{part}")
                turn.give_way()

    def short(number: int) -> None:
        if number == 0:
            long_work("b")
        else:
            with turns.turn():
                served.append("short")

    with turns.turn() as turn:
        threads = in_order(turns, 2, short)
        served.append("a0")
        turn.give_way()
        served.append("a1")
        turn.give_way()
        served.append("a2")
    for thread in threads:
        thread.join()
    assert served == ["a0", "b0", "short", "a1", "b1", "a2", "b2"]


def test_thirty_visitors_are_all_served_alone() -> None:
    turns, inside, most, served = Turns(64), [0], [0], [0]

    def visit() -> None:
        for _ in range(20):
            with turns.turn() as turn:
                for _ in range(2):
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    time.sleep(0)
                    inside[0] -= 1
                    turn.give_way()
                served[0] += 1

    for thread in started(*[visit] * 30):
        thread.join()
    assert (most, served, len(turns)) == ([1], [600], 0)


def test_what_several_want_is_computed_once() -> None:
    lines, kept, computed = TurnsByKey(), RecentArrays(1 << 20), []

    def compute() -> tuple[np.ndarray, ...]:
        computed.append(1)
        time.sleep(0.05)
        return (np.arange(3),)

    def visit() -> None:
        with lines.turn("map"):
            assert kept.get("map", compute)[0].tolist() == [0, 1, 2]

    for thread in started(*[visit] * 8):
        thread.join()
    assert computed == [1]
    assert not lines._lines
    assert not lines._users


def test_the_next_takes_over_from_who_leaves() -> None:
    lines, kept = TurnsByKey(), RecentArrays(1 << 20)
    waits, told = threading.Event(), []

    def leaving() -> tuple[np.ndarray, ...]:
        waits.wait()
        raise Left

    def first() -> None:
        with pytest.raises(Left), lines.turn("map"):
            kept.get("map", leaving)

    def second() -> None:
        with lines.turn("map", told.append):
            kept.get("map", lambda: (np.ones(1),))

    one = started(first)
    until(lambda: bool(lines._users))
    other = started(second)
    until(lambda: bool(told))
    waits.set()
    for thread in (*one, *other):
        thread.join()
    assert kept.peek("map") is not None
    assert told[-1] == 0


def test_a_visitor_sees_how_many_are_before(shown: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is asked for while another visitor has the encoder."""
    seen: list[str] = []
    release = threading.Event()

    def say(before: int, sentence: str = "") -> str:
        seen.append(original(before, sentence))
        release.set()
        return seen[-1]

    original = waiting.waiting
    monkeypatch.setattr(waiting, "waiting", say)

    def hold() -> None:
        with waiting.ENCODER.turn():
            release.wait(60)

    (other,) = started(hold)
    until(lambda: len(waiting.ENCODER) == 1)
    app = run_page("latents", text="a word that nobody asked for before")
    other.join()
    assert "Waiting for the encoder: 1" in seen[0]
    assert not app.exception
    html = [element.value for element in app.get("html")]
    assert not any("sp-waiting" in text for text in html), "the words go when the turn has come"
    assert any("Nearest in meaning" in text for text in html)
