"""What a latent is called. One place decides, for every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from explorer import notes
from explorer.directions import isolated
from explorer.notes.records import Note
from explorer.views.cells import number_or_none, text_or_none
from explorer.wording import figure
from sae_core import LatentStore
from sae_core.naming import GOOD, MIN_GOOD, borne_out, scores_well

_BORNE = ["name_match", "name_carried", "name_carried_by_chance"]
_COLUMNS = ["name", "name_good", "name_score", "name_low", "name_source", *_BORNE]


@dataclass(frozen=True)
class LatentName:
    """A latent's name and how sure it is."""

    text: str | None  # None: unnamed
    guess: str | None = None  # the best candidate where no name is good
    score: float | None = None  # held-out AUC of the name, or of the guess
    low: float | None = None  # its lower 95 % bound
    source: str | None = None  # where it came from: "label", "caption", "word" or "person"
    carried: int | None = None  # of the strongest pictures, how many carry it in label or caption; None: not known
    borne: bool = False  # whether labels or captions bear it out (sae_core.naming)
    match: str | None = None  # what the score was measured on: "text" (labels and captions) or "clip" (similarity)
    automatic: LatentName | None = None  # of a name given by a person: what it would be called otherwise

    @property
    def hint(self) -> str:
        """Who named it, or why it is unnamed; empty for an automatic name and where there is nothing to guess."""
        if self.automatic:
            return f"named by a person; automatic: {self.automatic.words}"
        if self.text or not self.guess:
            return ""
        if scores_well(self.match, self.score, self.low):
            few = f"on fewer than {MIN_GOOD} pictures that did not choose it"
            return f"too few pictures to be sure of a name: best guess “{isolated(self.guess)}”, {self.auc} {few}"
        scored = self._failed if self.auc else "in too few pictures to be scored"
        return f"no name fits: best guess “{isolated(self.guess)}”, {scored}"

    @property
    def _failed(self) -> str:
        """The score, and what a good name has to have and this one lacks: a score alone may look good enough."""
        if self.match not in GOOD or self.score is None:
            return self.auc
        least, least_low = GOOD[self.match]
        low = "" if self.low is None else f" (≥ {_told_from(self.low, least_low)})"
        scored = f"AUC {_told_from(self.score, least)}{low}"
        if self.score >= least:
            return f"{scored}, its lower bound less than the {least_low:.2f} of a good name"
        little = "a little " if figure(self.score) == figure(least) else ""
        return f"{scored}, {little}less than the {least:.2f} of a good name"

    @property
    def by_clip(self) -> bool:
        """Whether it is shown although labels and captions do not bear it out: CLIP alone was asked."""
        return self.text is not None and self.automatic is None and not self.borne

    @property
    def auc(self) -> str:
        """`AUC 0.62 (≥ 0.55)`; empty without a score."""
        if self.score is None:
            return ""
        return f"AUC {figure(self.score)}" + ("" if self.low is None else f" (≥ {figure(self.low)})")

    @property
    def words(self) -> str:
        """`citrus, AUC 0.91 (≥ 0.88)`, or `unnamed`."""
        text = isolated(self.text or "unnamed")
        return f"{text}, {self.auc}" if self.text and self.auc else text


def _told_from(value: float, least: float) -> str:
    """Two digits, or as many more as show that it is less: `0.85, less than 0.85` would be nonsense."""
    digits = next((n for n in range(2, 6) if value >= least or float(f"{value:.{n}f}") < least), 6)
    return figure(value, digits)


def display_name(store: LatentStore, latent: int) -> LatentName:
    """The name to show: a person's, or else the automatic one."""
    return _shown(notes.texts(store).get(latent), automatic_name(store, latent))


def display_names(store: LatentStore, latents: Sequence[int]) -> list[LatentName]:
    """Those of many latents, for which notes and figures are looked up once."""
    noted, rows = notes.texts(store), store.latents.loc[list(latents), _COLUMNS].to_dict("records")
    return [_shown(noted.get(latent), name_in(row)) for latent, row in zip(latents, rows, strict=True)]


def _shown(note: Note | None, automatic: LatentName) -> LatentName:
    return LatentName(note.name, source="person", automatic=automatic) if note and note.name else automatic


def automatic_name(store: LatentStore, latent: int) -> LatentName:
    """A candidate that is not good names nothing: it is the guess of an unnamed latent."""
    return name_in(store.latents.loc[latent])


def name_in(row: Any) -> LatentName:
    """The automatic name in a row of figures, a latent's or a random direction's."""
    candidate = text_or_none(row["name"])
    good = bool(row["name_good"])
    return LatentName(
        text=candidate if good else None,
        guess=None if good else candidate,
        score=number_or_none(row["name_score"]),
        low=number_or_none(row["name_low"]),
        source=text_or_none(row["name_source"]),
        match=text_or_none(row["name_match"]),
        carried=None if np.isnan(carried := float(row["name_carried"])) else int(carried),
        borne=bool(borne_out(*(row[column] for column in _BORNE))),
    )


def borne_names(figures: pd.DataFrame) -> pd.Series[float]:
    """1 where a good name is borne out, 0 where it is not; NaN in a store that does not say what pictures carry."""
    borne = figures["name_good"].to_numpy(bool) & borne_out(*(figures[column] for column in _BORNE))
    return pd.Series(np.where(figures["name_carried"].notna().any(), borne, np.nan), index=figures.index)
