"""What the Pictures page is asked: latents as three lists of numbers, words, a label and a text, all in the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from explorer import links
from explorer.views.latents_query import MAX_TEXT, MAX_WORDS
from explorer.views.paging import whole_number

Field = Literal["all_of", "any_of", "none_of"]
Said = Literal["text", "q", "label"]
FIELDS: dict[Field, str] = {"all_of": "active in all of", "any_of": "any of", "none_of": "none of"}
SAID: dict[Said, str] = {"text": "meaning", "q": "words", "label": "label"}
_JOINING = frozenset({"and", "or", "&", "+"})  # what people write between numbers
MAX_LATENTS = 50  # in one list: every one of them is another pass over its gallery


@dataclass(frozen=True)
class PicturesQuery:
    """Latents that must all be active, of which one must be, of which none may be; and what goes with the pictures."""

    all_of: tuple[int, ...] = ()
    any_of: tuple[int, ...] = ()
    none_of: tuple[int, ...] = ()
    page: int = 1
    unread: tuple[tuple[Field, str], ...] = ()  # words that are no number
    q: str = ""  # words of label, caption or source key
    label: str = ""  # the picture's label, exactly
    text: str = ""  # search by meaning: it orders, and excludes nothing

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> PicturesQuery:
        """`12, 340`, `#12 #340`, `12;340`, `12 and 340`: numbers with anything between them."""
        words = {field: _words(params.get(field, "")) for field in FIELDS}
        unread = tuple((field, word) for field in FIELDS for word in words[field] if word and _number(word) < 0)
        read = {
            field: tuple(dict.fromkeys(_number(word) for word in words[field] if _number(word) >= 0))
            for field in FIELDS
        }
        return cls(
            **read,
            page=whole_number(params.get("page"), 1),
            unread=unread,
            q=params.get("q", "").strip()[:MAX_WORDS],
            label=params.get("label", "").strip()[:MAX_TEXT],
            text=params.get("text", "").strip()[:MAX_TEXT],
        )

    @property
    def latents(self) -> tuple[int, ...]:
        """All that are named."""
        return tuple(dict.fromkeys(self.all_of + self.any_of + self.none_of))

    @property
    def active(self) -> bool:
        """Whether some latent must be active, so that pictures have a strength."""
        return bool(self.all_of or self.any_of)

    @property
    def names_pictures(self) -> bool:
        """Whether it says which pictures, not only which not."""
        return self.active or bool(self.q or self.label or self.text)

    @property
    def narrows(self) -> bool:
        """Whether something excludes pictures."""
        return bool(self.latents or self.q or self.label)

    def of(self, field: Field) -> tuple[int, ...]:
        """One of the three lists."""
        lists: dict[Field, tuple[int, ...]] = {"all_of": self.all_of, "any_of": self.any_of, "none_of": self.none_of}
        return lists[field]

    def said(self, name: Said) -> str:
        """One of the texts."""
        texts: dict[Said, str] = {"text": self.text, "q": self.q, "label": self.label}
        return texts[name]

    def written(self, field: Field) -> str:
        """One of the lists as a person would write it, with what could not be read."""
        words = [word for where, word in self.unread if where == field]
        return ", ".join([*map(str, self.of(field)), *words])

    def without(self, field: Field, *latents: int) -> PicturesQuery:
        """The same, not asking for these in one of the lists."""
        rest = tuple(latent for latent in self.of(field) if latent not in latents)
        return replace(self, **{field: rest, "page": 1, "unread": ()})  # type: ignore[arg-type]

    def saying(self, **texts: str) -> PicturesQuery:
        """The same with other words, another label or text; "" asks for none."""
        return replace(self, **{**texts, "page": 1})  # type: ignore[arg-type]

    def meaning(self, field: Field, latent: int) -> PicturesQuery:
        """The same with a latent in place of the words in one of the lists."""
        left = tuple(one for one in self.unread if one[0] != field)
        named = tuple(dict.fromkeys((*self.of(field), latent)))
        return replace(self, **{field: named, "page": 1, "unread": left})  # type: ignore[arg-type]

    def url(self, page: int = 1) -> str:
        """The address that asks for this."""
        lists: dict[Field, tuple[int | str, ...]] = {
            field: (*self.of(field), *(word for where, word in self.unread if where == field)) for field in FIELDS
        }
        return links.pictures_url(**lists, q=self.q, label=self.label, text=self.text, page=page)


def _words(said: str) -> list[str]:
    """What stands in one list, without the "and" beside a number: between names it may be part of one."""
    words = re.split(r"[\s,;]+", re.sub(r"(?<=\d)([&+])(?=#?\d)", r" \1 ", said).strip())
    beside = zip(["", *words], words, [*words[1:], ""], strict=False)
    return [
        word for before, word, after in beside if word.lower() not in _JOINING or max(map(_number, (before, after))) < 0
    ]


def _number(word: str) -> int:
    return whole_number(word, -1)
