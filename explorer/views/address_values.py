"""Values as addresses write them; what is none counts as absent."""

from __future__ import annotations

import math
import re

from explorer.views.paging import whole_number

Region = tuple[float, float, float, float]  # of the map: x from, x to, y from, y to


def share(said: str) -> str:
    """A number from 0 to 1, as it was written."""
    said = said.strip()
    good = re.fullmatch(r"(\d{1,9}(\.\d{0,9})?|\.\d{1,9})(e-\d{1,2})?", said, flags=re.ASCII)
    return said if good and 0 <= float(said) <= 1 else ""


def fingerprint(said: str) -> str:
    """The beginning of one, as pages write it."""
    return said if re.fullmatch(r"[0-9a-f]{6,64}", said, flags=re.ASCII) else ""


def read_region(said: str) -> Region | None:
    """`x0,x1,y0,y1`; the smaller one of each first."""
    try:
        x0, x1, y0, y1 = (float(part) for part in said.split(","))
    except ValueError:
        return None
    if not all(map(math.isfinite, (x0, x1, y0, y1))):
        return None
    return min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)


def latent_numbers(said: str) -> tuple[int, ...]:
    """`12,340,77`, each once; what is no number is left out."""
    numbers = (whole_number(part, -1) for part in re.split(r"[,\s]+", said))
    return tuple(dict.fromkeys(number for number in numbers if number >= 0))


def written(value: str | int | Region | tuple[int, ...] | None) -> str:
    """As the address has it; "" for None."""
    if value is None or isinstance(value, str | int):
        return "" if value is None else str(value)
    return ",".join(map(repr, value))
