"""Names for latents from the data set's own words: labels, captions, and the words and pairs of words in captions.

A name's score is the area under the ROC curve of "this picture has the term" for telling active pictures (each
weighted by its activation) from inactive ones. For a yes/no test that area is 1/2 + (P(term | active) -
P(term | inactive)) / 2 (Hanley & McNeil 1982): 0.5 says nothing, 1 means every active picture and no other has it.
The terms are counted on the same pictures that they are scored on, so scores of rare latents are optimistic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

MIN_SCORE = 0.6  # below it a latent stays unnamed
_MIN_IMAGES = 3  # a term on fewer pictures names pictures, not latents
_MAX_TERMS = 20_000
_BLOCK = 256  # latents scored together
_WORD = re.compile(r"[^\W_][\w'’-]*")
_STOP = frozenset("a an the of with and in on at to for from by or is are as its it this that".split())


@dataclass(frozen=True)
class Name:
    """A latent's name and how well it tells active from inactive pictures."""

    text: str
    score: float  # AUC, 0.5 … 1


def terms_of(label: str | None, caption: str | None) -> set[str]:
    """Everything that could name a latent in which this picture is active."""
    words = [word.lower() for word in _WORD.findall(caption or "")]
    pairs = {f"{a} {b}" for a, b in pairwise(words) if not {a, b} & _STOP}
    whole = {text.strip() for text in (label, caption) if text and len(text) <= 60}
    return {word for word in words if word not in _STOP and len(word) > 1} | pairs | whole


class TermTable:
    """Which picture has which term; filled in image order."""

    def __init__(self) -> None:
        self._terms: list[set[str]] = []
        self._counts: Counter[str] = Counter()

    def add(self, label: str | None, caption: str | None) -> None:
        """Takes the next image."""
        terms = terms_of(label, caption)
        self._terms.append(terms)
        self._counts.update(terms)

    def matrix(self) -> tuple[list[str], sparse.csr_matrix]:
        """The terms, and `[n_images, n_terms]` of 0 and 1; longer terms first, so that ties prefer them."""
        common = [term for term, n in self._counts.most_common() if n >= _MIN_IMAGES][:_MAX_TERMS]
        vocabulary = sorted(common, key=lambda term: (-len(term), term))
        column = {term: number for number, term in enumerate(vocabulary)}
        columns = [sorted(column[term] for term in terms if term in column) for terms in self._terms]
        pointers = np.concatenate([[0], np.cumsum([len(row) for row in columns])])
        flat = np.array([number for row in columns for number in row], dtype=np.int64)
        shape = (len(columns), len(vocabulary))
        return vocabulary, sparse.csr_matrix((np.ones(len(flat), dtype=np.float32), flat, pointers), shape=shape)


def name_latents(
    table: TermTable, offsets: np.ndarray, image_ids: np.ndarray, activations: np.ndarray
) -> list[Name | None]:
    """The best name of each latent; None where no term reaches MIN_SCORE (dead latents, pictures without words)."""
    vocabulary, terms = table.matrix()
    n_latents = len(offsets) - 1
    if not vocabulary:
        return [None] * n_latents
    names: list[Name | None] = []
    for start in range(0, n_latents, _BLOCK):
        stop = min(start + _BLOCK, n_latents)
        names += _named(vocabulary, _scores(terms, offsets[start : stop + 1], image_ids, activations))
    return names


def _scores(
    terms: sparse.csr_matrix, offsets: np.ndarray, image_ids: np.ndarray, activations: np.ndarray
) -> np.ndarray:
    """AUC `[latents of the block, n_terms]`."""
    n_images = terms.shape[0]
    run = slice(int(offsets[0]), int(offsets[-1]))
    shape = (len(offsets) - 1, n_images)
    ids, pointers = np.asarray(image_ids[run]), offsets - offsets[0]
    weights = sparse.csr_matrix((np.asarray(activations[run]), ids, pointers), shape=shape)
    active = sparse.csr_matrix((np.ones(len(ids), dtype=np.float32), ids, pointers), shape=shape)
    total = np.maximum(np.asarray(weights.sum(axis=1)).reshape(-1, 1), 1e-12)
    n_active = np.diff(offsets).reshape(-1, 1)
    n_with_term = np.asarray(terms.sum(axis=0)).reshape(1, -1)
    p_active = (weights @ terms).toarray() / total
    p_inactive = (n_with_term - (active @ terms).toarray()) / np.maximum(n_images - n_active, 1)
    return np.asarray(0.5 + (p_active - p_inactive) / 2)


def _named(vocabulary: Sequence[str], scores: np.ndarray) -> Iterator[Name | None]:
    for row in scores:
        best = int(np.argmax(np.round(row, 6)))  # rounded: equal terms differ in the last bits only
        yield Name(vocabulary[best], float(row[best])) if row[best] >= MIN_SCORE else None
