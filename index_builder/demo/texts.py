"""Texts that the text tower learns from: captions and tags in templates, ImageNet's class names, and their tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import open_clip
import torch
from jaxtyping import Float, Int
from torch import Tensor

CONTEXT = 16  # tokens
_TRAINED = 12  # tokens of a text in training: few are longer, and all would pay for them
TEMPLATES = (
    "{}",
    "a {}",
    "the {}",
    "a photo of a {}",
    "a photo of {}",
    "a picture of a {}",
    "a drawing of a {}",
    "a drawing of {}",
    "an image of a {}",
    "an illustration of a {}",
)
MEASURED_TEMPLATE = "a photo of a {}"


@dataclass(frozen=True)
class CaptionSource:
    """Draws texts for pictures: captions, single tags, captions with tags, in templates."""

    captions: Sequence[str]
    tags: Sequence[Sequence[str]]
    labels: Sequence[str]

    def draw(self, rows: Sequence[int], rng: np.random.Generator) -> list[str]:
        """One random text for each picture."""
        return [self._draw_one(row, rng) for row in rows]

    def _draw_one(self, row: int, rng: np.random.Generator) -> str:
        caption, tags = self.captions[row], list(self.tags[row])
        kind = rng.random()
        head = caption.split(", ")[0]
        if kind < 0.3 or not tags:
            text = caption
        elif kind < 0.65:
            text = head
        else:
            some = [str(tag) for tag in rng.permutation(tags)[: rng.integers(1, 4)]]
            text = " ".join(([head] if kind < 0.8 else []) + some)
        if rng.random() < 0.05:
            text = f"{text} {self.labels[row]}"
        return in_template(text, rng)


def in_template(text: str, rng: np.random.Generator) -> str:
    """Half of the texts as they are, half in a random template."""
    return TEMPLATES[rng.integers(len(TEMPLATES))].format(text) if rng.random() < 0.5 else text


class Vocabulary:
    """The tokens that training sees, numbered compactly: the other rows of the embedding get no gradient anyway."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.tokenizer = open_clip.SimpleTokenizer(context_length=_TRAINED)
        self._rows: dict[str, list[int]] = {}
        self.positions: dict[int, int] = {}
        ids = sorted({token for text in texts for token in self.tokens(text)})
        self.ids: Int[Tensor, " n_used"] = torch.tensor(ids)
        self.positions = {token: position for position, token in enumerate(ids)}

    def tokens(self, text: str) -> list[int]:
        """Token ids with start and end, cut at the context; tokens that only a cut text had are left out."""
        if text not in self._rows:
            row = self.tokenizer([text])[0]
            tokens = row[: int(row.argmax()) + 1].tolist()
            self._rows[text] = [token for token in tokens if not self.positions or token in self.positions]
        return self._rows[text]

    def batch(self, texts: Sequence[str]) -> tuple[Int[Tensor, "n length"], Int[Tensor, " n"]]:
        """Compact ids padded to the longest text, and where each text ends."""
        rows = [self.tokens(text) for text in texts]
        out = torch.zeros(len(rows), max(len(row) for row in rows), dtype=torch.long)
        for number, row in enumerate(rows):
            out[number, : len(row)] = torch.tensor([self.positions[token] for token in row])
        return out, torch.tensor([len(row) - 1 for row in rows])

    @cached_property
    def words(self) -> dict[str, int]:
        """Whole words of the tokenizer by their token."""
        return {piece.removesuffix("</w>"): token for token, piece in self.tokenizer.decoder.items() if "</w>" in piece}

    def fill(self, trained: Float[Tensor, "n_used width"], n_tokens: int) -> Float[Tensor, "n_tokens width"]:
        """The whole embedding: unseen inflections take a seen word's row, all other tokens the mean row."""
        whole = trained.mean(0).repeat(n_tokens, 1)
        whole[self.ids] = trained
        for word, token in self.words.items():
            stem = next((s for s in _stems(word) if self.words.get(s) in self.positions), None)
            if token not in self.positions and stem is not None:
                whole[token] = trained[self.positions[self.words[stem]]]
        return whole


def _stems(word: str) -> list[str]:
    """Likely other forms of a word that mean the same picture."""
    if len(word) < 3:
        return []
    forms = [
        word + "s",
        word + "es",
        re.sub(r"s$", "", word),
        re.sub(r"es$", "", word),
        re.sub(r"ies$", "y", word),
    ]
    forms += [re.sub(r"ing$", "", word), re.sub(r"ing$", "e", word), word + "ing"]
    return [form for form in forms if form != word and len(form) > 2]
