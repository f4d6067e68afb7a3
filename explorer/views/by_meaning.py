"""Words that no name or label has: the latents nearest to their meaning, beside the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.views.chance import EmbedTexts
from explorer.views.latents import FoundLatent, build_latents
from explorer.views.latents_query import LatentsQuery
from explorer.views.rankings import Ranking
from sae_core import LatentStore

SHOWN = 3


@dataclass(frozen=True, eq=False)
class ByMeaning:
    """The first SHOWN latents of a search by meaning, and where all of them are."""

    ranking: Ranking  # with its control: what meaningless strings reach
    found: tuple[FoundLatent, ...]  # nearest first
    n_found: int
    href: str


def build_by_meaning(store: LatentStore, query: LatentsQuery, embed_texts: EmbedTexts) -> ByMeaning | None:
    """None where the words cannot be encoded now, or where the filters leave nothing."""
    asked = query.by_meaning()
    there = build_latents(store, asked, embed_texts)
    if not there.rankings or not there.found:
        return None
    return ByMeaning(there.rankings[0], there.found[:SHOWN], there.paging.n_items, asked.url())
