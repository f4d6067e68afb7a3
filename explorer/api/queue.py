"""Requests that need the encoder, and what a search by meaning is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from fastapi import HTTPException

from explorer.api.answers import SearchControl
from explorer.views.cells import number_or_none
from explorer.views.chance import Chance

_WAITING = 8  # requests for the encoder; further ones are turned away at once
_queue = BoundedSemaphore(_WAITING)


@contextmanager
def admitted() -> Iterator[None]:
    """At most _WAITING requests wait for the encoder: each holds a thread that pictures and pages need, too."""
    if not _queue.acquire(blocking=False):
        raise HTTPException(503, "too many others are waiting; try again soon", headers={"Retry-After": "5"})
    try:
        yield
    finally:
        _queue.release()


def search_control(chance: Chance | None) -> SearchControl:
    """The control in an answer."""
    assert chance is not None  # every search by text has one
    return SearchControl(median=number_or_none(chance.typical), high=number_or_none(chance.high))
