"""All rankings that the Latents page is asked for; what fails becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explorer.beside import Beside
from explorer.views.again_ranking import ranking_again
from explorer.views.chance import EmbedTexts
from explorer.views.latents_query import LatentsQuery
from explorer.views.rankings import Ranking, picture_ranking, text_ranking
from explorer.views.telling import telling_ranking
from sae_core import LatentStore
from sae_core.errors import SparsightError


@dataclass(frozen=True)
class Asked:
    """The rankings that a query asks for, and a sentence for each that cannot be had."""

    rankings: tuple[Ranking, ...]
    problems: tuple[str, ...]


def asked_rankings(store: LatentStore, query: LatentsQuery, embed_texts: EmbedTexts | None, beside: Beside) -> Asked:
    """By text, by picture, by label and by another SAE. Filters and words still work where one fails."""
    asked: list[tuple[str, Callable[[], Ranking]]] = []
    if query.text:
        asked.append(("Searching by meaning is not possible", lambda: text_ranking(store, query, embed_texts)))
    if (image := query.image) is not None:
        asked.append(("There is nothing to rank by", lambda: picture_ranking(store, image)))
    if query.tells:
        asked.append(("There is nothing to tell apart", lambda: telling_ranking(store, query.tells)))
    if query.again:
        asked.append(("There is nothing to hold them against", lambda: ranking_again(store, query, beside)))
    rankings, problems = [], []
    for failed, rank in asked:
        try:
            rankings.append(rank())
        except (IndexError, SparsightError) as error:
            problems.append(f"{failed}: {error}.")
    return Asked(tuple(rankings), tuple(problems))
