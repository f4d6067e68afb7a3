"""Home: what this store is, and where to begin."""

from __future__ import annotations

from explorer.grid import draw
from explorer.sections import home as sections
from explorer.stores import current_store
from explorer.views.home import build_home

view = build_home(current_store())
draw(
    sections.introduction(view),
    sections.figures(view),
    sections.striking(view),
    sections.try_a_picture(view),
    sections.citation(view),
)
