"""Quality: what the SAE is worth on this store, figure by figure, each against its baseline."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.views.controls import Controls, build_controls
from explorer.views.distributions import Distribution
from explorer.views.duplicates import Duplicates, build_duplicates
from explorer.views.home import withheld
from explorer.views.report_card import Figure, reconstruction_warning, report_figures
from explorer.views.spreads import SPREADS
from explorer.views.striking import MIN_PICTURES
from explorer.wording import plural
from sae_core import LatentStore


@dataclass(frozen=True)
class Quality:
    """The report card."""

    sentence: str
    warning: str | None  # where it reconstructs no better than chance
    figures: tuple[Figure, ...]
    controls: Controls | None  # None: the store was built without them
    distributions: tuple[Distribution, ...]
    duplicates: Duplicates | None  # None: fewer than two latents are active
    rule: str  # which latents stand at the ends


def build_quality(store: LatentStore) -> Quality:
    """All figures that this store has."""
    drawn = (spread(store) for spread in SPREADS)
    duplicates = build_duplicates(store)
    return Quality(
        sentence=f"How faithful, how sparse and how clear the SAE {store.manifest.sae.ref} is on the "
        f"{plural(store.n_images, 'picture')} of this store.{withheld(store)}",
        warning=reconstruction_warning(store),
        figures=(*report_figures(store), *([duplicates.figure] if duplicates else [])),
        controls=build_controls(store),
        distributions=tuple(one for one in drawn if one is not None),
        duplicates=duplicates,
        rule=f"Of latents active in {MIN_PICTURES} pictures or more: with fewer, a figure says little.",
    )
