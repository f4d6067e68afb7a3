"""Names for latents, each with a score that was measured on images it was not chosen on.

A name matches an image as well as CLIP says: by the cosine of their embeddings. Its score is the area under the ROC
curve of that cosine for telling images where the latent is active from images where it is not: 0.5 says nothing, 1
means that every active image fits the name better than any other. (After the similarity of concept and activation in
CLIP-Dissect, arXiv 2204.10965, with AUC as the measure.) The name is chosen on one half of the store's images and
scored on the other half.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index_builder.analysis.embeddings import EmbeddingFacts, half_of
from index_builder.analysis.moments import cosine_moments
from index_builder.analysis.profiles import galleries
from index_builder.analysis.vocabulary import Source, Vocabulary
from sae_core.statistics import Z_95, auc, auc_error
from sae_core.store import layout

GOOD_SCORE = 0.85  # a name is good from this held-out AUC on …
GOOD_LOW = 0.7  # … if its lower 95 % bound is not below this
_CANDIDATES = 24  # terms of the shortlist whose AUC is computed
_SAMPLE = 64  # active images of each half, at most
_REFERENCE = 2_048  # images of each half that stand for all others
_MIN_HELD_OUT = 3
_NO_WORSE = 0.01  # AUC: of names this close, the plainest is taken


@dataclass(frozen=True)
class Name:
    """The best name of a latent."""

    text: str
    source: Source
    score: float  # held-out AUC; NaN where too few images were held out
    low: float  # its lower 95 % bound

    @property
    def good(self) -> bool:
        """Whether it says what the latent is."""
        return self.score >= GOOD_SCORE and self.low >= GOOD_LOW


def name_latents(root: Path, vocabulary: Vocabulary, facts: EmbeddingFacts) -> list[Name | None]:
    """The best name of each latent; None where it is active in no image of the first half, or there are no words."""
    if not vocabulary.terms:
        return [None] * len(facts.centroids)
    embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    choose, judge = (_Half(root, embeddings, vocabulary, which) for which in (0, 1))
    names: list[Name | None] = []
    latents = zip(galleries(root), shortlists(facts.halves[0], vocabulary.embeddings), strict=True)
    for latent, ((ids, _), candidates) in enumerate(latents):
        chosen = _best(choose, latent, ids, candidates)
        names.append(None if chosen is None else _judged(judge, vocabulary, latent, ids, chosen))
    return names


def shortlists(centroids: np.ndarray, terms: np.ndarray) -> Iterator[np.ndarray]:
    """For each latent the terms whose cosine with its centroid is highest for that term, most so first.

    Cosines of a term are standardised over all latents: some terms are close to everything.
    """
    alive = np.abs(centroids).sum(1) > 0
    known = centroids[alive]
    mean, spread = cosine_moments(known, terms)
    n = min(_CANDIDATES, len(terms))
    for centroid in centroids:
        z = (terms @ centroid - mean) / spread
        best = np.argpartition(-z, n - 1)[:n]
        yield best[np.argsort(-z[best], kind="stable")]


class _Half:
    """One half of the images: a seeded sample that stands for all of them, and its cosines with every term."""

    def __init__(self, root: Path, embeddings: np.ndarray, vocabulary: Vocabulary, which: int) -> None:
        ids = np.flatnonzero(half_of(np.arange(len(embeddings))) == which)
        rng = np.random.default_rng([which, len(embeddings)])
        sample = np.sort(rng.choice(ids, min(_REFERENCE, len(ids)), replace=False))
        self._which, self._embeddings, self._vocabulary = which, embeddings, vocabulary
        self._cosines = vocabulary.embeddings @ embeddings[sample].T  # [n_terms, sample]
        self._sorted = np.sort(self._cosines, axis=1)
        kept = np.load(root / layout.CODE_INDICES, mmap_mode="r")[sample]
        active = np.load(root / layout.CODE_ACTIVATIONS, mmap_mode="r")[sample] > 0
        self._codes = np.where(active, kept, -1)

    def plainness(self, term: int) -> tuple[bool, int, int]:
        """Labels before other terms, few words before many; then as the vocabulary has them, commonest first."""
        return self._vocabulary.sources[term] != "label", self._vocabulary.terms[term].count(" "), int(term)

    def members(self, latent: int, ids: np.ndarray) -> np.ndarray:
        """Images of a gallery that are in this half; a seeded sample of many."""
        mine = ids[half_of(ids) == self._which]
        if len(mine) <= _SAMPLE:
            return np.sort(mine)
        return np.sort(np.random.default_rng([self._which, latent]).choice(mine, _SAMPLE, replace=False))

    def scores(self, latent: int, members: np.ndarray, terms: np.ndarray) -> tuple[np.ndarray, int]:
        """AUC of each term for these members against the sample's other images, and the number of those."""
        active = (self._codes == latent).any(1)
        cosines = self._vocabulary.embeddings[terms] @ np.array(self._embeddings[members]).T
        areas = [
            auc(cosines[row], self._sorted[term], without=self._cosines[term, active]) for row, term in enumerate(terms)
        ]
        return np.array(areas), int((~active).sum())


def _best(half: _Half, latent: int, ids: np.ndarray, candidates: np.ndarray) -> int | None:
    """The plainest of the terms with the largest AUC on the first half; None where it has nothing to compare."""
    members = half.members(latent, ids)
    if not len(members):
        return None
    scores, n_others = half.scores(latent, members, candidates)
    if not n_others:  # active everywhere: nothing to tell apart
        return None
    nearly_best = candidates[scores >= scores.max() - _NO_WORSE]
    return int(min(nearly_best, key=half.plainness))


def _judged(half: _Half, vocabulary: Vocabulary, latent: int, ids: np.ndarray, term: int) -> Name:
    members = half.members(latent, ids)
    score = low = float("nan")
    if len(members) >= _MIN_HELD_OUT:
        areas, n_others = half.scores(latent, members, np.array([term]))
        score = float(areas[0])
        low = max(score - Z_95 * float(auc_error(np.array(score), np.array(len(members)), np.array(n_others))), 0.0)
    return Name(vocabulary.terms[term], vocabulary.sources[term], score, low)
