"""The line before the encoder, as a visitor sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.sections.waiting import waiting
from explorer.turns import Told, Turn, Turns

_MOST = 64  # visitors; what each holds meanwhile is one file at most, 20 MB, and what the encoder needs of it
ENCODER = Turns(_MOST)


@contextmanager
def encoder_turn() -> Iterator[Turn]:
    """The encoder for this visitor alone; who has to wait sees how many are before. Raises BusyError.

    Every update of the words is also where Streamlit ends the script of a visitor who went elsewhere, which gives the
    place up.
    """
    with told_here() as told, ENCODER.turn(told) as turn:
        yield turn


@contextmanager
def told_here(sentence: str = "") -> Iterator[Told]:
    """Says how many are before one where the page is being drawn, and takes it away when the turn has come.

    `sentence` is said instead of the number.
    """
    place: DeltaGenerator | None = None

    def told(before: int) -> None:
        nonlocal place
        if place is None:
            place = st.empty()
        if before:
            place.html(waiting(before, sentence))
        else:
            place.empty()

    yield told
    if place is not None:
        place.empty()
