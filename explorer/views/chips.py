"""What narrows the grid of latents, as chips: each says a filter and leads to the view without it."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.directions import isolated
from explorer.views.latents_query import LatentsQuery
from explorer.wording import figure, percent, plural

_SHARES = {"min": "density ≥", "max": "density ≤", "purity": "label purity ≥", "score": "name score ≥"}
_TEXTS = {
    "q": "“{}”",
    "label": "label: {}",
    "text": "meaning: “{}”",
    "image": "picture {}",
    "again": "found again by SAE {}",
    "tells": "tells label: {}",
    "life": "{} only",
    "names": "{} names",
}


@dataclass(frozen=True)
class Chip:
    """One active filter."""

    name: str  # the query's field
    text: str
    href: str  # the view without it


def chips_of(query: LatentsQuery) -> tuple[Chip, ...]:
    """All active filters."""
    return tuple(Chip(name, _text(query, name), query.without(name).url()) for name in query.filters)


def _text(query: LatentsQuery, name: str) -> str:
    if query.region and name == "region":
        x0, x1, y0, y1 = (figure(value, 1) for value in query.region)
        return f"map region x {x0} … {x1}, y {y0} … {y1}"
    if name == "latents":
        return plural(len(query.latents), "chosen latent")
    said = getattr(query, name)
    if name in _SHARES:
        written = figure(float(said)) if name == "score" else percent(float(said))
        return f"{_SHARES[name]} {written}"
    return _TEXTS[name].format(isolated(str(said)))
