"""What a store answers about the words that go with images."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from jaxtyping import Bool

from sae_core.store.image_reads import ImageReads
from sae_core.store.images import says


class ImageWords(ImageReads):
    """Searches in labels, captions and source keys; of hidden images nothing is told."""

    @property
    def has_captions(self) -> bool:
        """Whether any image has one."""
        return self._images.has_captions

    def shown(self, image_ids: np.ndarray) -> Bool[np.ndarray, "m"]:
        """Which of several images the hide-list does not withhold."""
        rows, hidden = self._rows(image_ids), self.hidden
        if not hidden:
            return np.ones(len(rows), dtype=bool)
        withheld = np.isin(self.labels.codes[rows], sorted(hidden.labels)) | np.isin(rows, sorted(hidden.pictures))
        return np.asarray(~withheld)

    def images_saying(self, words: str, label: int | None = None) -> Bool[np.ndarray, "n_images"]:
        """Images whose label, caption and source key together have every word (`images.says`); "_" counts as a space.

        Without words, all that are shown; with a label's code those of them that carry it. Captions and source keys
        are read where neither the label nor a word before has decided.
        """
        mask = self.shown(np.arange(self.n_images))
        if label is not None:
            mask &= self.labels.codes == label
        for word in _telling(words.replace("_", " ").split()):
            by_label = self._labels_say(word)
            mask &= by_label | self._images.say(word, mask & ~by_label)
        return mask

    def _labels_say(self, word: str) -> Bool[np.ndarray, "n_images"]:
        """Which images' labels have a word, in the source's form or in that for people."""
        texts = [" ".join(both) for both in zip(self.labels.names, self.labels.titles, strict=True)]
        by_label = np.append(says(pa.array(texts, pa.string()), word), False)  # the last one: no label
        return np.asarray(by_label[self.labels.codes])


def _telling(words: list[str]) -> list[str]:
    """Each once, without those that another begins with: what has "cathedral" has "cat". The longest, rarest, first."""
    telling = {word for word in words if not any(other != word and other.startswith(word) for other in words)}
    return sorted(telling, key=len, reverse=True)
