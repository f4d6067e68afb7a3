"""The angles between two spans on a page: Compare's, and Spans' with a second choice."""

from __future__ import annotations

from explorer.angle_charts import angles_chart, angles_csv
from explorer.grid import draw
from explorer.plots import draw_plot
from explorer.sections.angles import angles_head
from explorer.views.angles import Angles


def draw_angles(angles: Angles | None, key: str, title: str) -> None:
    """What they are, in a sentence, and the plot with its baselines; `title` names the files."""
    draw(angles_head(angles))
    if angles:
        draw_plot(angles_chart(angles), key, title, angles_csv(angles))
