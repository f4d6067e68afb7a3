"""The rows of a sparse code with their sliders: what is active, and what an edit added."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.views.inspect_query import InspectQuery, usual_activation
from explorer.views.inspection import N_TILES, Inspection
from explorer.views.parts import LatentCard, latent_card
from sae_core import LatentStore


@dataclass(frozen=True)
class CodeRow:
    """One latent of the code, as it is and as it is edited."""

    card: LatentCard
    before: float  # 0 where Top-K did not keep it
    after: float  # the same where it is not edited
    edited: bool
    strongest: float  # activation of the latent in the whole store; 0 for a dead one
    most: float  # the slider's end
    remove_url: str
    reset_url: str
    where_url: str

    @property
    def added(self) -> bool:
        """Not active in the picture itself."""
        return self.before <= 0


def build_rows(store: LatentStore, view: Inspection, query: InspectQuery) -> tuple[CodeRow, ...]:
    """Active latents, strongest first, then those that the edit added, in its order."""
    before = {ref.latent: value for ref, value in view.inactive}
    before |= {card.ref.latent: card.figure or 0.0 for card in view.code}
    mine = {card.ref.latent for card in view.code}
    added = [latent_card(store, latent, N_TILES) for latent in query.edit if latent not in mine]
    return tuple(_row(store, card, before.get(card.ref.latent, 0.0), query) for card in (*view.code, *added))


def _row(store: LatentStore, card: LatentCard, before: float, query: InspectQuery) -> CodeRow:
    latent = card.ref.latent
    after = query.edit.get(latent, before)
    usual = before if before > 0 else usual_activation(store, latent)
    strongest = float(store.latents["max_activation"].iloc[latent])
    return CodeRow(
        card=card,
        before=before,
        after=after,
        edited=latent in query.edit,
        strongest=strongest,
        most=max(2 * usual, after, strongest),
        remove_url=query.edited(latent, 0.0),
        reset_url=query.edited(latent, None),
        where_url=query.url(where=latent),
    )
