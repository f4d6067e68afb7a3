"""Quality: the SAE's own report card."""

from __future__ import annotations

from explorer import frame
from explorer.again import draw_other_saes
from explorer.distributions import draw_distribution
from explorer.grid import draw
from explorer.sections import duplicates
from explorer.sections import quality as sections
from explorer.sections.controls import comparison
from explorer.stores import current_store
from explorer.views.quality import build_quality

store = current_store()
view = build_quality(store)
frame.title("Quality")
draw(sections.introduction(view))
if view.controls:
    draw(comparison(view.controls))
if view.duplicates:
    draw_distribution(view.duplicates.chart, duplicates.overlap(view.duplicates))
    draw(duplicates.pairs(view.duplicates))
for one in view.distributions:
    draw_distribution(one, sections.ends(one, view.rule))
draw_other_saes(store)
