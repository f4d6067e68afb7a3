"""What of an address could not be used: a page that drops it without a word answers another question than was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from explorer.views.paging import whole_number

_LONGEST = 40  # characters of a value that is said again
NUMBERS = frozenset({"page", "seed", "image", "n", "j"})


def left_out(params: Mapping[str, str], read: Mapping[str, object]) -> tuple[str, ...]:
    """`sort=xyz` for every parameter that says something of which nothing was read."""
    said = {key: params.get(key, "").strip() for key in read}
    return tuple(
        f"{key}={value[:_LONGEST]}"
        for key, value in said.items()
        if value and (whole_number(value, -1) < 0 if key in NUMBERS else read[key] in (None, ""))
    )


def no_numbers(said: str) -> tuple[str, ...]:
    """The parts of a list of latents that are no number."""
    return tuple(part[:_LONGEST] for part in re.split(r"[,\s]+", said) if part and whole_number(part, -1) < 0)
