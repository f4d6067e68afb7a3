"""The texts by which the word search finds a latent, put together in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from explorer.notes import Note

_N_LIKE, _LIKE = 5, 0.7  # of difflib: 1 is the same


class LatentTexts:
    """Name and most common label of every latent, ready for searching."""

    def __init__(self, names: Sequence[str | None], labels: Sequence[str | None]) -> None:
        columns = [pc.fill_null(pa.array(texts, pa.string(), from_pandas=True), "") for texts in (names, labels)]
        joined = pc.binary_join_element_wise(*columns, " ")
        self._texts = pc.utf8_lower(pc.replace_substring(joined, "_", " "))
        self._names = np.array([folded(name) if isinstance(name, str) else "" for name in names], dtype=object)
        self._phrases = sorted({folded(text) for text in (*names, *labels) if isinstance(text, str) and text})

    def like(self, query: str) -> list[str]:
        """Names and labels that are written almost like the query, the likest first."""
        return get_close_matches(folded(query), self._phrases, n=_N_LIKE, cutoff=_LIKE)

    def called(self, query: str, given: Mapping[int, Note]) -> np.ndarray:
        """Which latents' name is the query itself; what a person said is the name."""
        mask = self._names == " ".join(folded(query).split())
        for latent, note in given.items():
            if 0 <= latent < len(mask) and note.name:
                mask[latent] = folded(note.name).split() == folded(query).split()
        return np.asarray(mask, dtype=bool)

    def say(self, query: str, given: Mapping[int, Note]) -> np.ndarray:
        """Which latents' texts hold every word of the query; `given` are names and notes from people, by latent."""
        words = folded(query).split()
        mask = np.ones(len(self._texts), dtype=bool)
        for word in words:
            mask &= pc.match_substring(self._texts, word).to_numpy(zero_copy_only=False)
        for latent, note in given.items():
            if 0 <= latent < len(mask):
                text = f"{folded(note.words)} {self._texts[latent]}"
                mask[latent] = all(word in text for word in words)
        return mask


def folded(text: str) -> str:
    """Small letters, words apart: what is compared."""
    return text.replace("_", " ").lower()
