"""Latents: the grid of cards, filtered, ranked and sorted as the address says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from explorer import notes
from explorer.beside import Beside
from explorer.notes import Note
from explorer.views.asked_rankings import asked_rankings
from explorer.views.cards import latent_cards
from explorer.views.chance import EmbedTexts
from explorer.views.chips import Chip, chips_of
from explorer.views.latent_table import LatentTable, latent_table
from explorer.views.latents_matching import matching, usual_order
from explorer.views.latents_query import OF_MANY, LatentsQuery
from explorer.views.paging import Paging, paging
from explorer.views.parts import LatentCard
from explorer.views.rankings import Ranking
from explorer.views.striking import MIN_PICTURES, rule_sentence
from sae_core import LatentStore

PER_PAGE = 24


@dataclass(frozen=True)
class Score:
    """Why a card stands where it does."""

    name: str
    value: str
    z: float  # standard deviations above the mean of all latents
    active: bool  # in the example picture


@dataclass(frozen=True)
class FoundLatent:
    """A card and its scores, one for each ranking."""

    card: LatentCard
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class LatentsPage:
    """One page of the grid."""

    query: LatentsQuery
    found: tuple[FoundLatent, ...]
    paging: Paging
    n_latents: int  # in the store
    sorts: dict[str, str]  # orders that this store has figures for; "" is the query's own
    rule: str | None  # what the order does beyond its name
    rankings: tuple[Ranking, ...]
    problems: tuple[str, ...]  # sentences
    chips: tuple[Chip, ...]
    ways_out: tuple[tuple[Chip, int], ...]  # nothing found: filters, and how many there are without each
    like: tuple[tuple[str, str, int], ...]  # nothing found: words almost like those asked for, address, how many
    by_meaning: str | None  # nothing found: where the words are searched by their meaning, if they can be
    no_meaning: str  # nothing found: why they cannot be
    labels: tuple[str, ...]  # to choose from
    columns: frozenset[str]  # figures that some latent has

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of the address could not be used."""
        return (*self.query.left_out, *(f"#{latent}" for latent in self.query.latents if latent >= self.n_latents))


def build_latents(
    store: LatentStore,
    query: LatentsQuery,
    embed_texts: EmbedTexts | None = None,
    no_meaning: str = "",
    beside: Beside | None = None,
) -> LatentsPage:
    """The cards of one page, and how many latents match. `no_meaning`: why a search by meaning is not offered."""
    table = latent_table(store)
    given = notes.texts(store)
    asked = asked_rankings(store, query, embed_texts, beside or Beside())
    found = matching(table, query, asked.rankings, given)
    pages = paging(query.page, len(found), PER_PAGE, query.url)
    own_order = usual_order(query, asked.rankings)
    return LatentsPage(
        query=query,
        found=_found(store, found[pages.start : pages.stop].tolist(), asked.rankings),
        paging=pages,
        n_latents=store.n_latents,
        sorts={"": table.sorts.get(own_order, own_order), **table.sorts},
        rule=_rule(store, query, query.sort or own_order),
        rankings=asked.rankings,
        problems=asked.problems,
        chips=chips_of(query),
        ways_out=() if len(found) else _ways_out(table, query, given),
        like=() if len(found) else _like(table, query, given),
        by_meaning=query.by_meaning().url() if not no_meaning and not len(found) and _has_words(query) else None,
        no_meaning=no_meaning if _has_words(query) and not query.text else "",
        labels=tuple(table.labels),
        columns=frozenset(column for column in ("label_purity", "name_score") if table.has(column)),
    )


def _rule(store: LatentStore, query: LatentsQuery, sort: str) -> str | None:
    if sort == "striking":
        first = "Those called so first, then the most striking" if query.q and not query.sort else "Most striking first"
        return f"{first}: {rule_sentence(store.latents)}; the others follow."
    if sort in OF_MANY:
        return f"Latents active in fewer than {MIN_PICTURES} pictures come behind the others: their figures say little."
    return None


def _found(store: LatentStore, latents: list[int], rankings: Sequence[Ranking]) -> tuple[FoundLatent, ...]:
    z_scores = [ranking.z_scores for ranking in rankings]
    return tuple(
        FoundLatent(
            card,
            tuple(
                Score(
                    ranking.score_name,
                    ranking.written(float(ranking.scores[latent])),
                    float(z[latent]),
                    latent in ranking.active,
                )
                for ranking, z in zip(rankings, z_scores, strict=True)
            ),
        )
        for latent, card in zip(latents, latent_cards(store, latents), strict=True)
    )


def _has_words(query: LatentsQuery) -> bool:
    return bool(query.q) and query.number is None


def _like(table: LatentTable, query: LatentsQuery, given: Mapping[int, Note]) -> tuple[tuple[str, str, int], ...]:
    """Words with which there would be something."""
    asked = [replace(query, q=words, page=1) for words in table.like(query.q)] if _has_words(query) else []
    counts = [(other.q, other.url(), int(table.mask(other, given).sum())) for other in asked]
    return tuple(one for one in counts if one[2])


def _ways_out(table: LatentTable, query: LatentsQuery, given: Mapping[int, Note]) -> tuple[tuple[Chip, int], ...]:
    """The filters without which there would be something."""
    counts = [(chip, int(table.mask(query.without(chip.name), given).sum())) for chip in chips_of(query)]
    return tuple((chip, n) for chip, n in counts if 0 < n < len(table))
