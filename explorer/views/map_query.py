"""What the map is asked: every field is a parameter of the address, and bad values count as absent."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from explorer import links
from explorer.views.address_values import Region, fingerprint, read_region
from explorer.views.latents_query import MAX_WORDS
from explorer.views.left_out import left_out
from explorer.views.paging import whole_number

# What colours the points: what the menu says, and the column. "" is the density.
COLORS: dict[str, tuple[str, str]] = {
    "": ("density", "density"),
    "label": ("top label", "top_label"),
    "purity": ("label purity", "label_purity"),
    "score": ("name score", "name_score"),
    "mono": ("monosemanticity", "monosemanticity"),
    "stable": ("split-half stability", "split_half"),
    "activation": ("strongest activation", "max_activation"),
}
AGAIN = "again:"  # and the fingerprint of another SAE: how near its directions come
MAX_CORNERS = 200  # of an outline; what is drawn here has 40 at most (static/map_select.js)


@dataclass(frozen=True)
class MapQuery:
    """The state of the map; "" and None mean not asked."""

    color: str = ""
    q: str = ""  # words of a name or label: these are marked
    latent: int | None = None  # is marked, and in the middle
    view: Region | None = None  # the part of the plane that is shown
    box: Region | None = None  # what is selected: a part of the plane
    lasso: tuple[float, ...] = ()  # or the corners of an outline, x and y in turn
    left_out: tuple[str, ...] = field(default=(), compare=False)  # what of the address could not be read

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> MapQuery:
        """Unknown or impossible values count as absent. A number among the words is a latent."""
        q = params.get("q", "").strip()[:MAX_WORDS]
        number = re.fullmatch(r"#?\s*(\d{1,9})", q, flags=re.ASCII)
        latent = whole_number(number.group(1) if number else params.get("latent"), -1)
        view = read_region(params.get("view", ""))
        query = cls(
            color=_color(params.get("color", "")),
            q="" if number else q,
            latent=latent if latent >= 0 else None,
            view=view if view and view[0] < view[1] and view[2] < view[3] else None,
            box=read_region(params.get("box", "")),
            lasso=_outline(params.get("lasso", "")),
        )
        read = {key: getattr(query, key) or None for key in ("color", "view", "box", "lasso")} | {
            "latent": query.latent
        }
        return replace(query, left_out=left_out(params, read))

    @property
    def params(self) -> dict[str, str]:
        """The parameters that differ from the defaults."""
        said = {
            "color": self.color,
            "q": self.q,
            "latent": "" if self.latent is None else str(self.latent),
            "view": _written(self.view),
            "box": _written(self.box),
            "lasso": _written(self.lasso),
        }
        return {key: value for key, value in said.items() if value}

    def url(self) -> str:
        """The address that asks for this."""
        return links.map_url(params=self.params)

    def at(self, latent: int | None) -> MapQuery:
        """The same with another latent marked; it moves into the middle."""
        return replace(self, latent=latent, view=None)


def _color(said: str) -> str:
    """One of COLORS, or `again:` and an SAE's fingerprint."""
    another = said.startswith(AGAIN) and fingerprint(said.removeprefix(AGAIN))
    return said if said in COLORS or another else ""


def _outline(said: str) -> tuple[float, ...]:
    """Three corners at least, and MAX_CORNERS at most; empty where it cannot be read."""
    try:
        numbers = tuple(float(part) for part in said.split(","))
    except ValueError:
        return ()
    fit = len(numbers) % 2 == 0 and 6 <= len(numbers) <= 2 * MAX_CORNERS
    return numbers if fit and all(map(math.isfinite, numbers)) else ()


def _written(numbers: tuple[float, ...] | None) -> str:
    return ",".join(f"{value:g}" for value in numbers or ())
