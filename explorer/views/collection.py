"""A list of latents that somebody collected. The address holds all of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.views.cards import latent_cards
from explorer.views.cells import number_or_none
from explorer.views.paging import Paging, paging, whole_number
from explorer.views.parts import LatentCard
from explorer.wording import activation, figure, percent
from sae_core import LatentStore

MAX_LATENTS = 500  # longer addresses fail in proxies and mails
MAX_TITLE = 100  # characters
PER_PAGE = 50


@dataclass(frozen=True)
class ListQuery:
    """What the address says."""

    latents: tuple[int, ...] = ()  # each once, in the collector's order
    title: str = ""
    page: int = 1
    sae: str = ""  # mark of the SAE whose latents these are; empty where the address does not say it
    n_beyond: int = 0  # latents that the address names beyond the limit
    no_numbers: tuple[str, ...] = ()  # what it names and is no number

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> ListQuery:
        """What is no number is left out, and so is what goes beyond the limit."""
        said = [part for part in re.split(r"[,\s]+", params.get("latents", "")) if part]
        numbers = [whole_number(part, -1) for part in said]
        others = tuple(part for part, number in zip(said, numbers, strict=True) if number < 0)
        latents = tuple(dict.fromkeys(number for number in numbers if number >= 0))
        # The form's field cannot be called "title": the page's sanitiser drops names that the document itself has.
        title = " ".join((params.get("title") or params.get("list_title") or "").split())
        page = whole_number(params.get("page"), 1)
        n_beyond = max(0, len(latents) - MAX_LATENTS)
        return cls(latents[:MAX_LATENTS], title[:MAX_TITLE], page, _mark(params.get("sae", "")), n_beyond, others)

    def url(self, page: int = 1) -> str:
        """The address that says this."""
        return links.list_url(self.latents, self.title, page, self.sae)

    def without(self, latent: int) -> ListQuery:
        """The list after a latent was taken out."""
        return replace(self, latents=tuple(other for other in self.latents if other != latent))

    def moved(self, latent: int, by: int) -> ListQuery:
        """The list after a latent went `by` places down; at the ends it stays."""
        others = list(self.without(latent).latents)
        at = self.latents.index(latent) + by
        return replace(self, latents=(*others[: max(at, 0)], latent, *others[max(at, 0) :]))


@dataclass(frozen=True)
class Listed:
    """One latent of the list, and where its buttons lead."""

    card: LatentCard
    facts: tuple[tuple[str, str], ...]  # name and value of its figures
    up: str | None  # None: it stands first
    down: str | None
    remove: str


@dataclass(frozen=True)
class ListPage:
    """One page of a list."""

    query: ListQuery  # only latents that this store has; always with a mark
    unknown: tuple[int, ...]  # asked for, but not in this store
    rows: tuple[Listed, ...]
    paging: Paging
    n_latents: int  # in the store
    sae: str  # mark of the store's SAE
    definitions: str  # of the figures in the rows

    @property
    def foreign(self) -> bool:
        """Whether the list was made with another SAE: the same numbers are other latents there."""
        return self.query.sae != self.sae


def build_list(store: LatentStore, asked: ListQuery) -> ListPage:
    """The latents of one page with their pictures and figures."""
    mark = links.sae_mark(store.manifest.sae.fingerprint)
    known = tuple(latent for latent in asked.latents if latent < store.n_latents)
    query = replace(asked, latents=known, sae=asked.sae or mark)
    pages = paging(query.page, len(query.latents), PER_PAGE, query.url)
    shown = query.latents[pages.start : pages.stop]
    cards = latent_cards(store, shown, n_tiles=4)
    return ListPage(
        query=query,
        unknown=tuple(latent for latent in asked.latents if latent >= store.n_latents),
        rows=tuple(_listed(store, query, card, pages.page) for card in cards),
        paging=pages,
        n_latents=store.n_latents,
        sae=mark,
        definitions=_definitions(store),
    )


def _mark(said: str) -> str:
    """A longer piece of a fingerprint is as good as a mark; what is none says nothing."""
    digits = said.strip().lower()
    return links.sae_mark(digits) if re.fullmatch(r"[0-9a-f]{8,64}", digits) else ""


def _definitions(store: LatentStore) -> str:
    report = store.manifest.report
    baselines = {"monosemanticity": report.monosemanticity_baseline, "split_half": report.split_half_baseline}
    explained = [DEFINITIONS[name].format(baseline=figure(value)) for name, value in baselines.items()]
    return " ".join([DEFINITIONS["activation"], DEFINITIONS["purity"], *explained])


def _listed(store: LatentStore, query: ListQuery, card: LatentCard, page: int) -> Listed:
    latent = card.ref.latent
    return Listed(
        card=card,
        facts=_facts(store, store.latents.loc[latent], card),
        up=query.moved(latent, -1).url(page) if latent != query.latents[0] else None,
        down=query.moved(latent, 1).url(page) if latent != query.latents[-1] else None,
        remove=query.without(latent).url(page),
    )


def _facts(store: LatentStore, row: Any, card: LatentCard) -> tuple[tuple[str, str], ...]:
    """Each with its baseline. Density stands in the name already. Nothing of a latent that is withheld."""
    if card.ref.hidden:
        return ()
    facts = [("strongest", activation(float(row["max_activation"])))]
    if card.purity is not None and card.top_label:
        profile = store.label_profile(card.ref.latent)
        share = (
            f" (store: {percent(store.labels.counts[profile.codes[0]] / store.n_images)})" if len(profile.codes) else ""
        )
        facts.append(("label purity", f"{card.purity_text} {card.top_label}{share}"))
    report = store.manifest.report
    for column, name, baseline in (
        ("monosemanticity", "monosemanticity", report.monosemanticity_baseline),
        ("split_half", "split half", report.split_half_baseline),
    ):
        value = number_or_none(row.get(column))
        if value is not None:
            facts.append((name, f"{figure(value)} / {figure(baseline)}"))
    return tuple(facts)
