"""The latents' figures as arrays, made for filtering and sorting: no Python per row, whatever their number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from explorer.notes import Note
from explorer.views.latents_query import OF_MANY, SORTS, LatentsQuery
from explorer.views.names import borne_names
from explorer.views.striking import MIN_PICTURES, striking_order
from explorer.views.texts import LatentTexts, folded
from sae_core import LatentStore

MAX_LABELS = 1000  # offered while a label is typed


class LatentTable:
    """Row = latent. Orders are computed once each; a filter then is a few passes over arrays."""

    def __init__(self, latents: pd.DataFrame, hidden: Collection[int] = ()) -> None:
        """`hidden` latents pass no filter."""
        self._latents = latents
        self._shown = ~latents.index.isin(sorted(hidden))
        self._good = latents["name_good"].to_numpy(dtype=bool)
        self._borne = self._good & (borne_names(latents) > 0).to_numpy()
        self._alive = latents["density"].to_numpy() > 0
        self._label_codes, found = pd.factorize(latents["top_label"])
        self._labels: list[str] = found.tolist()
        read = np.array([*self._labels, None], dtype=object)[self._label_codes]
        self._texts = LatentTexts(latents["name"].where(self._good, None).tolist(), read.tolist())
        self._orders: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._latents)

    @property
    def sorts(self) -> dict[str, str]:
        """The orders that there are figures for, as the menu says them."""
        return {key: name for key, (name, column, _) in SORTS.items() if not column or self.has(column)}

    @property
    def labels(self) -> list[str]:
        """Labels that are some latent's most common one, those of most latents first; not more than can be offered."""
        counts = np.bincount(self._label_codes[self._label_codes >= 0], minlength=len(self._labels))
        return [self._labels[code] for code in np.argsort(-counts, kind="stable")[:MAX_LABELS]]

    @cached_property
    def commonest(self) -> frozenset[str]:
        """Every label that is some latent's most common one."""
        return frozenset(self._labels)

    def like(self, query: str) -> list[str]:
        """Names and labels that are written almost like the query, the likest first."""
        return self._texts.like(query)

    def has(self, column: str) -> bool:
        """Whether any latent has this figure."""
        return bool(self._latents[column].notna().any())

    def order(self, sort: str) -> np.ndarray:
        """All latents in an order of SORTS: those without the figure behind the others, the dead last.

        Where the figure says little of few pictures, latents of fewer than MIN_PICTURES come behind, by the same order.
        """
        if sort not in self._orders:
            self._orders[sort] = self._order(sort)
        return self._orders[sort]

    def best_first(self, scores: np.ndarray) -> np.ndarray:
        """All latents by falling scores, equal ones by number, those without one (NaN) last."""
        return np.argsort(-scores, kind="stable")

    def called(self, words: str, given: Mapping[int, Note]) -> np.ndarray:
        """Which latents have just these words for a name."""
        return self._texts.called(words, given)

    def mask(self, query: LatentsQuery, given: Mapping[int, Note]) -> np.ndarray:
        """Which latents pass every filter; `given` are names and notes from people, by latent."""
        mask = self._shown.copy()
        if query.q:
            mask &= self._texts.say(query.q, given) | self._members([] if query.number is None else [query.number])
        if query.label:
            codes = [code for code, label in enumerate(self._labels) if folded(label) == folded(query.label)]
            mask &= np.isin(self._label_codes, codes)
        if query.life:
            mask &= self._alive == (query.life == "alive")
        if query.names:
            by_people = self._members(latent for latent, note in given.items() if note.name)
            named = by_people | (self._borne if query.names == "borne" else self._good)
            mask &= self._alive & ~named if query.names == "weak" else named
        if query.latents:
            mask &= self._members(query.latents)
        for column, low, high in _ranges(query):
            values = self._latents[column].to_numpy()
            mask &= (values >= low) & (values <= high)  # false where there is no figure
        return mask

    def _order(self, sort: str) -> np.ndarray:
        if sort == "striking":
            return striking_order(self._latents)
        _, column, ascending = SORTS[sort]
        if not column:
            return np.arange(len(self))
        values = self._latents[column].to_numpy()
        few = self._latents["n_active"].to_numpy() < MIN_PICTURES if sort in OF_MANY else np.zeros(len(self), bool)
        return np.lexsort(
            [values if ascending else -values, few, np.isnan(values), ~self._alive]
        )  # stable; NaN goes last

    def _members(self, latents: Iterable[int]) -> np.ndarray:
        mask = np.zeros(len(self), dtype=bool)
        mask[[latent for latent in latents if 0 <= latent < len(self)]] = True
        return mask


# One: the store that is shown. A rebuilt store is another object, and takes the place of the old one's table.
@lru_cache(maxsize=1)
def latent_table(store: LatentStore) -> LatentTable:
    """The table of a store."""
    return LatentTable(store.latents, store.hidden.latents)


def _ranges(query: LatentsQuery) -> list[tuple[str, float, float]]:
    """Column, smallest and largest value of every range that is asked."""
    ranges = [("density", query.min, query.max), ("label_purity", query.purity, ""), ("name_score", query.score, "")]
    asked = [(column, float(low or "-inf"), float(high or "inf")) for column, low, high in ranges if low or high]
    if query.region:
        x0, x1, y0, y1 = query.region
        asked += [("x", x0, x1), ("y", y0, y1)]
    return asked
