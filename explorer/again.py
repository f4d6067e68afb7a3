"""What the pages say of other SAEs beside the store, last: the first time it takes seconds in a large one."""

from __future__ import annotations

from explorer.beside import stores_beside
from explorer.distributions import draw_distribution
from explorer.grid import draw
from explorer.sections import counterparts as counterpart_sections
from explorer.sections import other_saes as sections
from explorer.views.counterparts import counterparts
from explorer.views.other_saes import other_saes
from sae_core import LatentStore


def draw_counterparts(store: LatentStore, latent: int) -> None:
    """Whether they find this latent again."""
    beside = stores_beside(store)
    found = counterparts(store, latent, beside.stores)
    draw(counterpart_sections.found_again(found, beside.problems))


def draw_other_saes(store: LatentStore) -> None:
    """How many of all latents they find again."""
    beside = stores_beside(store)
    draw(sections.problems(beside.problems))
    for one in other_saes(store, beside):
        draw_distribution(one.chart, sections.beside_chart(one))
