"""Words that may name latents: the data set's labels and captions, and a general word list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float32

from sae_core.references import WORDS
from sae_core.store import layout

Source = Literal["label", "caption", "word"]

_SOURCES: tuple[Source, ...] = ("label", "caption", "word")
_MIN_IMAGES = 3  # a term on fewer pictures names pictures, not latents
_MAX_CAPTION_TERMS = 5_000
_MAX_COUNTED = 2_000_000  # distinct caption terms held while counting; the rarest go first
_MAX_LENGTH = 60
_WORD = re.compile(r"[^\W_][\w'’-]*")
_STOP = frozenset("a an the of with and in on at to for from by or is are as its it this that".split())


@dataclass(frozen=True)
class Vocabulary:
    """Candidate names with their text embeddings."""

    terms: list[str]
    sources: list[Source]
    embeddings: Float32[np.ndarray, "n_terms d_embed"]  # unit

    @cached_property
    def general(self) -> Bool[np.ndarray, "n_terms"]:
        """Which terms are of the general list: asked for every gallery, of tens of thousands of terms."""
        return np.array([source == "word" for source in self.sources], dtype=bool)

    @property
    def carried(self) -> list[str]:
        """The terms that images carry in their label or caption: the first ones."""
        return self.terms[: sum(source != "word" for source in self.sources)]

    def plainness(self, term: int) -> tuple[int, int, int]:
        """Orders names: labels, captions, other words; few words before many; then as the vocabulary has them."""
        return _SOURCES.index(self.sources[term]), self.terms[term].count(" "), term


def vocabulary_of(root: Path, encode_texts: Callable[[Sequence[str]], np.ndarray]) -> Vocabulary:
    """Labels' titles, terms that several captions share, and the word list; each term once, the first source wins."""
    said: dict[str, tuple[str, Source]] = {}
    titles = pq.read_table(root / layout.LABELS)["title"].to_pylist()
    sources: tuple[tuple[Source, Sequence[str]], ...] = (
        ("label", titles),
        ("caption", caption_terms(root)),
        ("word", WORDS.read_text(encoding="utf-8").split("\n")),
    )
    for source, terms in sources:
        for term in terms:
            if term.strip():
                said.setdefault(folded(term), (term.strip().replace("_", " "), source))
    terms = [term for term, _ in said.values()]
    return Vocabulary(terms, [source for _, source in said.values()], encode_texts(terms))


def folded(term: str) -> str:
    """How terms are compared: `Apple_pie` is `apple pie`."""
    return term.strip().replace("_", " ").casefold()


def caption_terms(root: Path) -> list[str]:
    """Words, pairs of words and whole captions that at least _MIN_IMAGES images share, commonest first."""
    counts: Counter[str] = Counter()
    for caption in _captions(root):
        counts.update(terms_of(caption))
        if len(counts) > _MAX_COUNTED:
            counts = Counter({term: n for term, n in counts.items() if n > 1})
    common = sorted((-n, term) for term, n in counts.items() if n >= _MIN_IMAGES)
    return [term for _, term in common[:_MAX_CAPTION_TERMS]]


def terms_of(caption: str) -> set[str]:
    """Everything in a caption that could name a latent: words, neighbouring pairs, the whole where it is short."""
    words = [word.lower() for word in _WORD.findall(caption)]
    pairs = {f"{a} {b}" for a, b in pairwise(words) if not {a, b} & _STOP}
    whole = {" ".join(words)} if len(caption) <= _MAX_LENGTH and not set(words) <= _STOP else set()
    return {word for word in words if word not in _STOP and len(word) > 1} | pairs | whole


def said_by(title: str | None, caption: str | None) -> set[str]:
    """The terms, folded, that an image carries in its label's title or its caption."""
    said = {folded(term) for term in terms_of(caption)} if caption else set()
    return said | {folded(title)} if title else said


def _captions(root: Path) -> Iterator[str]:
    with pa.ipc.open_file(pa.memory_map(str(root / layout.IMAGES))) as reader:
        for batch in range(reader.num_record_batches):
            yield from (text for text in reader.get_batch(batch).column("caption").to_pylist() if text)
