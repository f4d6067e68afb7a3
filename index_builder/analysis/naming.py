"""Names for latents, each with a score that was measured on images it was not chosen on.

The score is the area under the ROC curve of "the name matches the image" for telling images where the latent is active
from images where it is not: 0.5 says nothing, 1 means that every active image fits the name better than any other.

- A name that images carry themselves, in their label or caption, matches those images (`match` is "text"; the test is
  yes or no). Where such a name is good on the first half of the store's images, it is taken.
- Otherwise any term matches an image as well as CLIP says, by the cosine of their embeddings (`match` is "clip"; after
  the similarity of concept and activation in CLIP-Dissect, arXiv 2204.10965, with AUC as the measure).

Either way the name is chosen on the first half of the images and scored on the second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index_builder.analysis.carried import CarriedTerms, binary_auc, binary_auc_low
from index_builder.analysis.name_halves import Half
from index_builder.analysis.shortlist import Shortlist
from index_builder.analysis.vocabulary import Source, Vocabulary
from sae_core.halves import half_of
from sae_core.naming import MIN_GOOD, Match, scores_well
from sae_core.statistics import Z_95, auc_error
from sae_core.store import layout

_CARRIED = 0.8  # a name that images carry is taken from this AUC on: three in five of the active ones, no other
_MIN_HELD_OUT = 3
_NO_WORSE = 0.01  # AUC: of names this close, the plainest is taken
_CLEARLY = 0.05  # AUC by which a word of the general list must beat the data set's own: more than a standard error


@dataclass(frozen=True)
class Name:
    """The best name of a latent."""

    text: str
    source: Source
    match: Match
    score: float  # held-out AUC; NaN where too few images were held out
    low: float  # its lower 95 % bound
    n_held_out: int  # active images that it was scored on

    @property
    def good(self) -> bool:
        """Whether it says what the latent is."""
        return scores_well(self.match, self.score, self.low) and self.n_held_out >= MIN_GOOD


class Namer:
    """Names galleries of one store, a latent's or another direction's."""

    def __init__(self, root: Path, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        if vocabulary.terms:
            embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
            self._carried = CarriedTerms(root, vocabulary.carried)
            self._choose, self._judge = (Half(root, embeddings, vocabulary, which) for which in (0, 1))

    def names(self, galleries: Iterable[np.ndarray], halves: np.ndarray) -> list[Name | None]:
        """The best name of each gallery of image ids; None where no image of the first half is in it, or no words are.

        `halves` `[2, n, d_embed]` are the galleries' centroids (GalleryFacts). Terms are standardised over them all.
        """
        if not self._vocabulary.terms:
            return [None] * halves.shape[1]
        shortlist = Shortlist(halves[0], self._vocabulary.embeddings)
        return [self._name(number, ids, shortlist) for number, ids in enumerate(galleries)]

    def _name(self, number: int, ids: np.ndarray, shortlist: Shortlist) -> Name | None:
        carried, vocabulary = self._carried, self._vocabulary
        if (name := _carried_name(carried, vocabulary, ids)) is not None:
            return name
        candidates = shortlist.of(number, without=_unsupported(carried, ids, len(vocabulary.terms)))
        chosen = _best(self._choose, number, ids, candidates)
        return None if chosen is None else _judged(self._judge, vocabulary, number, ids, chosen)


def _unsupported(carried: CarriedTerms, ids: np.ndarray, n_terms: int) -> np.ndarray:
    """The data set's own terms that no active image of the first half carries: a small CLIP may like them."""
    mask = np.zeros(n_terms, dtype=bool)
    if carried.n_terms:
        mask[: carried.n_terms] = carried.counts(ids[half_of(ids) == 0]) == 0
    return mask


def _carried_name(carried: CarriedTerms, vocabulary: Vocabulary, ids: np.ndarray) -> Name | None:
    """The term that tells a gallery apart best, by what images are labelled and captioned; None where none does."""
    mine, held_out = (ids[half_of(ids) == which] for which in (0, 1))
    if not carried.n_terms or len(mine) < _MIN_HELD_OUT or len(held_out) < _MIN_HELD_OUT:
        return None
    share, others, n_others = carried.shares(0, mine)
    areas = binary_auc(share, others)
    if not n_others or areas.max() < _CARRIED:
        return None
    term = prefer(vocabulary, np.arange(carried.n_terms), areas)
    share, others, n_others = carried.shares(1, held_out)
    if not n_others:  # active everywhere: nothing to tell apart
        return None
    score = float(binary_auc(share[term], others[term]))
    low = binary_auc_low(float(share[term]), float(others[term]), len(held_out), n_others)
    return Name(vocabulary.terms[term], vocabulary.sources[term], "text", score, low, len(held_out))


def _best(half: Half, latent: int, ids: np.ndarray, candidates: np.ndarray) -> int | None:
    """The term with the largest AUC on the first half, as `prefer` has it; None where it has nothing to compare."""
    members = half.members(latent, ids)
    if not len(members) or not len(candidates):
        return None
    scores, n_others = half.scores(ids, members, candidates)
    if not n_others:  # active everywhere: nothing to tell apart
        return None
    return prefer(half.vocabulary, candidates, scores)


def prefer(vocabulary: Vocabulary, terms: np.ndarray, scores: np.ndarray) -> int:
    """The plainest of the terms that are as good as the best; a word of the general list must be clearly better."""
    handicapped = scores - np.where(vocabulary.general[terms], _CLEARLY, 0)
    nearly_best: list[int] = terms[handicapped >= handicapped.max() - _NO_WORSE].tolist()
    return min(nearly_best, key=vocabulary.plainness)


def _judged(half: Half, vocabulary: Vocabulary, latent: int, ids: np.ndarray, term: int) -> Name:
    members = half.members(latent, ids)
    score = low = float("nan")
    if len(members) >= _MIN_HELD_OUT:
        areas, n_others = half.scores(ids, members, np.array([term]))
        score = float(areas[0])
        low = max(score - Z_95 * float(auc_error(np.array(score), np.array(len(members)), np.array(n_others))), 0.0)
    return Name(vocabulary.terms[term], vocabulary.sources[term], "clip", score, low, len(members))
