"""What Compare and Spans are asked about: pictures, a label, words, latents, or the visitor's upload."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from explorer.views.paging import whole_number
from sae_core import LatentStore
from sae_core.errors import SparsightError
from sae_core.store.records import folded_label

Kind = Literal["image", "label", "text", "latents", "upload"]
BEFORE = "before"  # of two uploads the one that came first


@dataclass(frozen=True)
class Selection:
    """One choice, as it stands in the address."""

    kind: Kind
    value: str = ""  # numbers with commas, a label's name, words; for an upload nothing, or BEFORE

    @property
    def said(self) -> str:
        """`label:goldfish`, `image:3,17`, `upload`, `upload:before`."""
        return f"{self.kind}:{self.value}" if self.value else self.kind

    @property
    def numbers(self) -> tuple[int, ...]:
        """The pictures or latents that are named, each once."""
        return tuple(dict.fromkeys(int(word) for word in self.value.split(",")))


def read_selection(store: LatentStore, said: str) -> Selection | None:
    """Reads `image:3,17`, `label:goldfish`, `text:a red car`, `latents:12,340`, `upload[:before]`, or what people type.

    Without a prefix `#12 #340` and `#12 340` are latents, `12 15` pictures, a label's title is that label, anything
    else words. None where nothing is said. Raises SparsightError where a prefix is followed by something else than it
    needs.
    """
    said = said.strip()
    if not said:
        return None
    kind, colon, rest = said.partition(":")
    if said in ("upload", f"upload:{BEFORE}"):
        return Selection("upload", rest)
    if colon and kind in ("image", "latents"):
        return Selection("image" if kind == "image" else "latents", _numbers(rest, kind))
    if colon and kind in ("label", "text") and rest.strip():
        return Selection("label" if kind == "label" else "text", rest.strip())
    return _guessed(store, said)


def guessed_text(store: LatentStore, said: str) -> str:
    """The beginning of a sentence, where words were taken as a text for want of anything else; otherwise ""."""
    selection = read_selection(store, said)
    if selection is None or selection != Selection("text", said.strip()):  # with a prefix its value is the rest
        return ""
    return f"“{selection.value}” is no label, picture or latent of this store, so it was taken as a text; "


def label_code(store: LatentStore, said: str) -> int | None:
    """The code of a label by its name or title, letter case and underscores aside."""
    wanted = folded_label(said)
    for texts in (store.labels.names, store.labels.titles):
        for code, text in enumerate(texts):
            if folded_label(text) == wanted and code not in store.labels.hidden:
                return code
    return None


def _guessed(store: LatentStore, said: str) -> Selection:
    words = re.split(r"[\s,;]+", said)
    if all(re.fullmatch(r"#?\d{1,9}", word) for word in words) and "#" in said:
        return Selection("latents", _numbers(said.replace("#", ""), "latents"))
    if all(re.fullmatch(r"\d{1,15}", word) for word in words):
        return Selection("image", _numbers(said, "image"))
    code = label_code(store, said)
    return Selection("text", said) if code is None else Selection("label", store.labels.names[code])


def _numbers(said: str, kind: str) -> str:
    words = [word.removeprefix("#") for word in re.split(r"[\s,;]+", said.strip()) if word]
    numbers = [whole_number(word, -1) for word in words]
    what = "pictures" if kind == "image" else "latents"
    if not numbers or min(numbers) < 0:
        raise SparsightError(f"“{said.strip()}” are no numbers of {what}")
    return ",".join(str(number) for number in dict.fromkeys(numbers))
