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

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index_builder.analysis.carried import CarriedTerms, binary_auc, binary_auc_low
from index_builder.analysis.embeddings import EmbeddingFacts
from index_builder.analysis.moments import cosine_moments
from index_builder.analysis.profiles import galleries
from index_builder.analysis.vocabulary import Source, Vocabulary
from sae_core.halves import half_of
from sae_core.naming import MIN_GOOD, Match, scores_well
from sae_core.statistics import Z_95, auc, auc_error
from sae_core.store import layout

_CARRIED = 0.8  # a name that images carry is taken from this AUC on: three in five of the active ones, no other
_CANDIDATES = 24  # terms of the shortlist whose AUC is computed
_SAMPLE = 64  # active images of each half, at most
_REFERENCE = 2_048  # images of each half that stand for all others
_CELLS = 2**23  # cosines of latents and terms in memory together, in float64
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


def name_latents(root: Path, vocabulary: Vocabulary, facts: EmbeddingFacts) -> list[Name | None]:
    """The best name of each latent; None where it is active in no image of the first half, or there are no words."""
    if not vocabulary.terms:
        return [None] * len(facts.centroids)
    embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    carried = CarriedTerms(root, vocabulary.carried)
    choose, judge = (_Half(root, embeddings, vocabulary, which) for which in (0, 1))
    names: list[Name | None] = []
    shortlist = Shortlist(facts.halves[0], vocabulary.embeddings)
    for latent, (ids, _) in enumerate(galleries(root)):
        name = _carried_name(carried, vocabulary, ids)
        if name is None:
            candidates = shortlist.of(latent, without=_unsupported(carried, ids, len(vocabulary.terms)))
            chosen = _best(choose, latent, ids, candidates)
            name = None if chosen is None else _judged(judge, vocabulary, latent, ids, chosen)
        names.append(name)
    return names


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


class Shortlist:
    """For each latent the terms whose cosine with its centroid is highest for that term.

    Cosines of a term are standardised over all latents: some terms are close to everything. Those of neighbouring
    latents are computed together, so it is best asked in order.
    """

    def __init__(self, centroids: np.ndarray, terms: np.ndarray) -> None:
        self._centroids, self._terms = centroids, terms
        self._mean, self._spread = cosine_moments(centroids[np.abs(centroids).sum(1) > 0], terms)
        self._together = max(_CELLS // max(len(terms), 1), 1)
        self._block, self._z = -1, np.zeros((0, len(terms)))

    def of(self, latent: int, without: np.ndarray) -> np.ndarray:
        """At most _CANDIDATES terms, best first, none of those in the mask `without`."""
        z = np.where(without, -np.inf, self._standardised(latent))
        n = min(_CANDIDATES, int((~without).sum()))
        best = np.argpartition(-z, max(n - 1, 0))[:n]
        return best[np.argsort(-z[best], kind="stable")]

    def _standardised(self, latent: int) -> np.ndarray:
        block, row = divmod(latent, self._together)
        if block != self._block:
            centroids = self._centroids[block * self._together :][: self._together]
            self._block, self._z = block, (centroids @ self._terms.T - self._mean) / self._spread
        found: np.ndarray = self._z[row]
        return found


class _Half:
    """One half of the images: a seeded sample that stands for all of them, and its cosines with every term."""

    def __init__(self, root: Path, embeddings: np.ndarray, vocabulary: Vocabulary, which: int) -> None:
        ids = np.flatnonzero(half_of(np.arange(len(embeddings))) == which)
        rng = np.random.default_rng([which, len(embeddings)])
        sample = np.sort(rng.choice(ids, min(_REFERENCE, len(ids)), replace=False))
        self._which, self._embeddings, self.vocabulary = which, embeddings, vocabulary
        self._cosines = vocabulary.embeddings @ embeddings[sample].T  # [n_terms, sample]
        self._sorted = np.sort(self._cosines, axis=1)
        kept = np.load(root / layout.CODE_INDICES, mmap_mode="r")[sample]
        active = np.load(root / layout.CODE_ACTIVATIONS, mmap_mode="r")[sample] > 0
        self._codes = np.where(active, kept, -1)

    def members(self, latent: int, ids: np.ndarray) -> np.ndarray:
        """Images of a gallery that are in this half; a seeded sample of many."""
        mine = ids[half_of(ids) == self._which]
        if len(mine) <= _SAMPLE:
            return np.sort(mine)
        return np.sort(np.random.default_rng([self._which, latent]).choice(mine, _SAMPLE, replace=False))

    def scores(self, latent: int, members: np.ndarray, terms: np.ndarray) -> tuple[np.ndarray, int]:
        """AUC of each term for these members against the sample's other images, and the number of those."""
        active = (self._codes == latent).any(1)
        # Without BLAS, whose threads cost more than so small a product where other programs want the cores, too.
        cosines = np.einsum("td,md->tm", self.vocabulary.embeddings[terms], np.array(self._embeddings[members]))
        areas = [
            auc(cosines[row], self._sorted[term], without=self._cosines[term, active]) for row, term in enumerate(terms)
        ]
        return np.array(areas), int((~active).sum())


def _best(half: _Half, latent: int, ids: np.ndarray, candidates: np.ndarray) -> int | None:
    """The term with the largest AUC on the first half, as `prefer` has it; None where it has nothing to compare."""
    members = half.members(latent, ids)
    if not len(members) or not len(candidates):
        return None
    scores, n_others = half.scores(latent, members, candidates)
    if not n_others:  # active everywhere: nothing to tell apart
        return None
    return prefer(half.vocabulary, candidates, scores)


def prefer(vocabulary: Vocabulary, terms: np.ndarray, scores: np.ndarray) -> int:
    """The plainest of the terms that are as good as the best; a word of the general list must be clearly better."""
    general = np.array([vocabulary.sources[term] == "word" for term in terms])
    handicapped = scores - np.where(general, _CLEARLY, 0)
    nearly_best: list[int] = terms[handicapped >= handicapped.max() - _NO_WORSE].tolist()
    return min(nearly_best, key=vocabulary.plainness)


def _judged(half: _Half, vocabulary: Vocabulary, latent: int, ids: np.ndarray, term: int) -> Name:
    members = half.members(latent, ids)
    score = low = float("nan")
    if len(members) >= _MIN_HELD_OUT:
        areas, n_others = half.scores(latent, members, np.array([term]))
        score = float(areas[0])
        low = max(score - Z_95 * float(auc_error(np.array(score), np.array(len(members)), np.array(n_others))), 0.0)
    return Name(vocabulary.terms[term], vocabulary.sources[term], "clip", score, low, len(members))
