"""Rankings of all latents: by a text's meaning, by an example picture. One more is in again_ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.directions import isolated
from explorer.views.chance import Chance, EmbedTexts, best_z, chance, strings
from explorer.views.latents_query import LatentsQuery
from explorer.views.tiles import Tile, tiles
from explorer.wording import activation, figure
from sae_core import LatentStore
from sae_core.errors import SparsightError

_COMPARED: dict[str, tuple[Literal["centroids", "directions"], str]] = {
    "": (
        "centroids",
        "each latent’s gallery centroid: the way from the mean of all pictures’ embeddings to the mean of its "
        "gallery’s",
    ),
    "directions": ("directions", "each latent’s direction, its row of the SAE’s decoder"),
}


@dataclass(frozen=True, eq=False)
class Ranking:
    """A score of every latent, and what it is compared with: all latents' mean and standard deviation."""

    title: str
    explanation: str
    score_name: str
    scores: np.ndarray  # [n_latents]; NaN where there is none
    picture: Tile | None = None  # the example
    active: frozenset[int] = frozenset()  # latents that Top-K kept in the example
    digits: int | None = 3  # None: as activations are written
    turn: tuple[str, str] | None = None  # words and address of the other order
    chance: Chance | None = None  # of the best one's z, where texts without a meaning say what it is worth

    @property
    def mean(self) -> float:
        """The baseline: the mean score of all latents that have one."""
        return float(np.nanmean(self.scores)) if np.isfinite(self.scores).any() else float("nan")

    @property
    def z_scores(self) -> np.ndarray:
        """Standard deviations above the mean."""
        spread = float(np.nanstd(self.scores)) if np.isfinite(self.scores).any() else 0.0
        return (self.scores - self.mean) / (spread or float("nan"))

    @property
    def stands_out(self) -> bool:
        """Whether the best one is better than those of meaningless texts; true where nothing is known of these."""
        return self.chance is None or not best_z(self.scores) <= self.chance.high

    def written(self, value: float) -> str:
        """A score in figures."""
        return activation(value) if self.digits is None else figure(value, self.digits)


def combined(rankings: Sequence[Ranking]) -> np.ndarray | None:
    """The scores that order the latents: one ranking's own; of several the mean of their z, which have one unit."""
    if len(rankings) < 2:
        return rankings[0].scores if rankings else None
    return np.asarray(np.mean([ranking.z_scores for ranking in rankings], axis=0))


def text_ranking(store: LatentStore, query: LatentsQuery, embed_texts: EmbedTexts | None) -> Ranking:
    """By a text's meaning, with the control. Raises SparsightError where the text cannot be encoded."""
    if embed_texts is None:
        raise SparsightError("there is no encoder here")
    against, meaning = _COMPARED[query.by]
    embedding, *meaningless = embed_texts([query.text, *strings()])
    return Ranking(
        title=f"Nearest in meaning to “{isolated(query.text)}”",
        explanation=f"Compared: the text’s embedding with {meaning}.",
        score_name="cosine",
        scores=store.text_scores(embedding, against),
        chance=chance(store, against, meaningless),
    )


def picture_ranking(store: LatentStore, image_id: int) -> Ranking:
    """By the pre-activations in one. Raises IndexError or WithheldError."""
    scores = store.pre_activations(store.embedding(image_id))
    tile = tiles(store, [image_id])[0]
    return Ranking(
        title=f"Strongest in “{isolated(tile.caption)}”",
        explanation=f"Compared: the pre-activations of all latents in this picture, before {store.k} of them at "
        "most are kept; those that it kept are marked active.",
        score_name="pre-activation",
        scores=scores,
        picture=tile,
        active=frozenset(store.code(image_id).latents.tolist()),
        digits=None,
    )
