"""Latents: the grid of cards, filtered and sorted as the address says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from explorer import links
from explorer.views.paging import Paging, paging, whole_number
from explorer.views.parts import LatentCard, latent_card
from explorer.views.striking import most_striking_first, rule_sentence
from sae_core import LatentStore

PER_PAGE = 24

# Each order: what the menu says, the column, and whether small values come first.
SORTS: dict[str, tuple[str, str, bool]] = {
    "": ("most striking", "", False),
    "activation": ("strongest activation", "max_activation", False),
    "purity": ("purest label", "label_purity", False),
    "score": ("best name score", "name_score", False),
    "frequent": ("most frequent", "density", False),
    "rare": ("rarest", "density", True),
    "number": ("number", "", True),
}
LIVES = {"": "alive and dead", "alive": "alive only", "dead": "dead only"}
DENSITIES = ("0.0001", "0.001", "0.01", "0.1")
PURITIES = ("0.25", "0.5", "0.75", "0.9")


@dataclass(frozen=True)
class LatentsQuery:
    """What the filter bar holds; every field is a parameter of the address."""

    q: str = ""
    sort: str = ""
    life: str = ""
    min: str = ""  # smallest density
    max: str = ""  # largest density
    purity: str = ""  # smallest label purity
    page: int = 1

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> LatentsQuery:
        """Unknown or impossible values count as absent: an old link still shows a page."""

        def one_of(key: str, allowed: tuple[str, ...]) -> str:
            return params.get(key, "") if params.get(key) in allowed else ""

        return cls(
            q=params.get("q", "").strip()[:100],
            sort=one_of("sort", tuple(SORTS)),
            life=one_of("life", tuple(LIVES)),
            min=one_of("min", DENSITIES),
            max=one_of("max", DENSITIES),
            purity=one_of("purity", PURITIES),
            page=whole_number(params.get("page"), 1),
        )

    @property
    def params(self) -> dict[str, str]:
        """The parameters that differ from the defaults, without the page."""
        said = {
            "q": self.q,
            "sort": self.sort,
            "life": self.life,
            "min": self.min,
            "max": self.max,
            "purity": self.purity,
        }
        return {key: value for key, value in said.items() if value}

    @property
    def number(self) -> int | None:
        """The latent that `#123` or `123` means."""
        found = re.fullmatch(r"#?\s*(\d{1,9})", self.q, flags=re.ASCII)
        return int(found.group(1)) if found else None


@dataclass(frozen=True)
class LatentsPage:
    """One page of the grid."""

    query: LatentsQuery
    cards: tuple[LatentCard, ...]
    paging: Paging
    n_latents: int  # in the store
    sorts: dict[str, str]  # orders that this store has figures for
    striking_rule: str


def build_latents(store: LatentStore, query: LatentsQuery) -> LatentsPage:
    """The cards of one page, and how many latents match."""
    found = matching(store.latents, query)
    pages = paging(query.page, len(found), PER_PAGE, lambda page: links.latents_url(query.params, page))
    return LatentsPage(
        query=query,
        cards=tuple(latent_card(store, latent) for latent in found[pages.start : pages.stop]),
        paging=pages,
        n_latents=store.n_latents,
        sorts=_sorts(store.latents),
        striking_rule=rule_sentence(store.latents),
    )


def matching(latents: pd.DataFrame, query: LatentsQuery) -> list[int]:
    """Numbers of the latents that match, in the order asked for; an asked-for number comes first."""
    found = [int(latent) for latent in _sorted(latents[_mask(latents, query)], query.sort).index]
    if query.number is not None and query.number in found:
        found.remove(query.number)
        found.insert(0, query.number)
    return found


def _mask(latents: pd.DataFrame, query: LatentsQuery) -> pd.Series[bool]:
    mask = _says(latents, query) if query.q else pd.Series(True, index=latents.index)
    if query.life:
        mask &= (latents["density"] == 0) == (query.life == "dead")
    if query.min:
        mask &= latents["density"] >= float(query.min)
    if query.max:
        mask &= latents["density"] <= float(query.max)
    if query.purity:
        mask &= latents["label_purity"].fillna(0) >= float(query.purity)
    return mask


def _says(latents: pd.DataFrame, query: LatentsQuery) -> pd.Series[bool]:
    """All words of the query occur in the name or the most common label, or it is the latent's number."""
    text = latents["name"].fillna("").astype(str) + " " + latents["top_label"].fillna("").astype(str)
    text = text.str.replace("_", " ").str.casefold()
    mask = pd.Series(True, index=latents.index)
    for word in query.q.casefold().replace("_", " ").split():
        mask &= text.str.contains(word, regex=False)
    if query.number is not None:
        mask |= pd.Series(latents.index == query.number, index=latents.index)
    return mask


def _sorted(latents: pd.DataFrame, sort: str) -> pd.DataFrame:
    if not sort:
        return most_striking_first(latents)
    _, column, ascending = SORTS[sort]
    if not column:
        return latents.sort_index()
    alive = latents["density"] > 0  # dead ones last, whatever the order
    keyed = latents.assign(_dead=~alive)
    return keyed.sort_values(["_dead", column], ascending=[True, ascending], kind="stable", na_position="last")


def _sorts(latents: pd.DataFrame) -> dict[str, str]:
    return {key: name for key, (name, column, _) in SORTS.items() if not column or latents[column].notna().any()}
