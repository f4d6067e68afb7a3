"""Which latents match what was asked for, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from explorer.notes import Note
from explorer.views.latent_table import LatentTable
from explorer.views.latents_query import LatentsQuery
from explorer.views.rankings import Ranking, combined


def matching(
    table: LatentTable,
    query: LatentsQuery,
    rankings: Sequence[Ranking] = (),
    given: Mapping[int, Note] | None = None,
) -> np.ndarray:
    """Numbers of the latents that match, in the order asked for; an asked-for number comes first.

    Where no order is asked for, latents that are called just what the words say come before those that only say them.

    `given` are names and notes from people, by latent.
    """
    mask = table.mask(query, given or {})
    order = _order(table, query, rankings)
    found: np.ndarray = order[mask[order]]
    if query.q and usual_order(query, rankings) == "striking" and not query.sort:
        called = table.called(query.q, given or {})[found]
        found = np.concatenate([found[called], found[~called]])
    if query.number is not None and 0 <= query.number < len(table) and mask[query.number]:
        found = np.concatenate([[query.number], found[found != query.number]])
    return found


def usual_order(query: LatentsQuery, rankings: Sequence[Ranking]) -> str:
    """What orders where no order is asked for."""
    if rankings:
        return "least found again" if query.least else "best match"
    return "as listed" if query.latents else "striking"


def _order(table: LatentTable, query: LatentsQuery, rankings: Sequence[Ranking]) -> np.ndarray:
    scores = combined(rankings)
    if not query.sort and scores is not None:
        return table.best_first(-scores if query.least else scores)
    if not query.sort and query.latents:
        return np.array([latent for latent in query.latents if latent < len(table)], dtype=np.int64)
    return table.order(query.sort or "striking")
