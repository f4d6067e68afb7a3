"""What the geometry of a choice is asked: which concepts are axes, and where they begin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from explorer import links

MAX_AXES = 3
ORIGINS = {"": "the store's mean picture", "zero": "zero"}


@dataclass(frozen=True)
class GeometryQuery:
    """Parameters of the address; bad values are told, not hidden."""

    axes: tuple[int, ...] = ()  # latents, in the order in which they become axes; none: the strongest two
    origin: str = ""  # a key of ORIGINS
    other: str = ""  # a second choice, whose span is compared
    unread: str = ""  # what stands in `axes` and is no number
    params: Mapping[str, str] = field(default_factory=dict)  # the whole address

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> GeometryQuery:
        """Reads `axes=12,340,77`, `origin=zero`, `with=label:goldfish`."""
        words = [word.removeprefix("#") for word in re.split(r"[\s,;]+", params.get("axes", "")) if word]
        good = [word for word in words if re.fullmatch(r"[0-9]{1,9}", word)]
        origin = params.get("origin", "")
        return cls(
            axes=tuple(dict.fromkeys(int(word) for word in good)),
            origin=origin if origin in ORIGINS else "",
            other=params.get("with", "").strip(),
            unread=next((word for word in words if word not in good), ""),
            params=dict(params),
        )

    def url(self, axes: Sequence[int]) -> str:
        """The same page with other axes."""
        return links.spans_url({**self.params, "axes": links.numbers(axes)})

    def kept(self, *without: str) -> dict[str, str]:
        """Parameters that a form of this section passes on."""
        return {key: value for key, value in self.params.items() if key not in without}
