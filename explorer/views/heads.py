"""Test-time training, seen: heads of a neighbourhood against the global head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.wording import figure, percent, plural, signed
from sae_core import LatentStore
from sae_core.specialisation import Specialisation, Verdict, specialise

N_IMAGES = 60  # that train, and that are judged, as in the authors' code
_WHAT = {
    "global head": "fitted to the store's whole first half: the baseline",
    "local, embeddings": "the global head, trained on the neighbourhood",
    "local, reconstructions": "the same, seeing only what the SAE rebuilds",
    "local, sparse codes": "the same, seeing the active latents",
    "local, random pictures": "the same, trained on as many pictures from anywhere",
    "commonest label": "always the neighbourhood's commonest label",
}


@dataclass(frozen=True)
class HeadRow:
    """One head as it is written."""

    name: str
    what: str
    verdict: Verdict

    @property
    def accuracy(self) -> str:
        """`62 % (48 to 75)`."""
        low, high = self.verdict.interval
        return f"{percent(self.verdict.accuracy)} ({100 * low:.0f} to {100 * high:.0f})"

    @property
    def gain(self) -> str:
        """`+3.3 (−5.0 to +11.7)` percentage points; nothing for the baseline itself."""
        low, high = (signed(100 * bound) for bound in self.verdict.gain_interval)
        return "" if self.name == "global head" else f"{signed(100 * self.verdict.gain)} ({low} to {high})"

    @property
    def loss(self) -> str:
        """Cross entropy; a dash where there is none."""
        return figure(self.verdict.loss, 3)


@dataclass(frozen=True)
class HeadsView:
    """The comparison and what it says."""

    rows: tuple[HeadRow, ...]
    sentence: str
    setting: str
    demonstration: bool


def build_heads(store: LatentStore, centre: np.ndarray, n: int = N_IMAGES) -> HeadsView:
    """Raises SparsightError where the neighbourhood has too few labelled pictures, or the store no two labels."""
    found = specialise(store, centre, n)
    return HeadsView(
        rows=tuple(HeadRow(verdict.name, _WHAT[verdict.name], verdict) for verdict in found.verdicts),
        sentence=in_words(found),
        setting=f"Trained on the {plural(found.n_train, 'picture')} of the store's first half nearest to here "
        f"({plural(found.n_labels, 'label')}), judged on the nearest {found.n_judged:,} of its second half.",
        demonstration=store.manifest.demonstration,
    )


def in_words(found: Specialisation) -> str:
    """What the intervals allow to say of the local head on embeddings."""
    if any(verdict.name == "commonest label" and verdict.accuracy == 1 for verdict in found.verdicts):
        return "All pictures that are judged here carry one label: there is nothing to tell heads apart by."
    local = next(verdict for verdict in found.verdicts if verdict.name == "local, embeddings")
    low, high = local.gain_interval
    points = f"{signed(100 * local.gain)} percentage points"
    if low > 0:
        return f"Here the local head judges better than the global one: {points}."
    if high < 0:
        return f"Here the local head judges worse than the global one: {points}."
    return (
        f"Here the local head cannot be told from the global one: {points}, and 0 lies inside the interval "
        f"({signed(100 * low)} to {signed(100 * high)})."
    )
