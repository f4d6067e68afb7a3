"""Texts that are longer than what the encoder reads."""

from __future__ import annotations

from typing import NamedTuple


class CutText(NamedTuple):
    """One of them."""

    text: str
    n_read: int  # characters, from its start
    n_tokens: int  # that the encoder reads of a text at most
