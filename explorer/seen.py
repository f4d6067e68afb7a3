"""What of a picture the encoder sees, in words."""

from __future__ import annotations

from sae_core.encoder.preprocessing import Preprocessing
from sae_core.pictures import Picture

_NEARLY_ALL = 0.85  # of a side: the usual crop of 224 out of 256 pixels leaves out less
_ENLARGED = 2  # times as large as the picture is
_WHITE = "what is transparent as white"
_FIRST = "the first frame or page of several"


def seen_as(preprocessing: Preprocessing, picture: Picture) -> tuple[str, ...]:
    """The same of a picture as it was opened, with what became of its transparency, and of an animation."""
    part = seen_part(preprocessing, picture.width, picture.height)
    others = (_WHITE if picture.on_white else "", _FIRST if picture.first_of_several else "")
    return tuple(said for said in (part, *others) if said)


def seen_part(preprocessing: Preprocessing, width: int, height: int) -> str:
    """`only the middle, 400 × 400 pixels`, `all of it, enlarged 14 times`; empty where there is nothing to know."""
    (left, top, right, bottom), (seen_width, _) = preprocessing.frame(width, height)
    across, down = right - left, bottom - top
    cut = across < _NEARLY_ALL * width or down < _NEARLY_ALL * height
    times = seen_width / across
    enlarged = f", enlarged {times:.0f} times" if times > _ENLARGED else ""
    if cut:
        return f"only the middle, {max(across, 1):,.0f} × {max(down, 1):,.0f} pixels{enlarged}"
    return f"all of it{enlarged}" if enlarged else ""
