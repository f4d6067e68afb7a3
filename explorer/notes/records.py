"""What people say of latents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

Kind = Literal["edit", "undo", "import"]
Choice = Literal["mine", "theirs"]

MAX_NAME = 80  # characters
MAX_TEXT = 4_000


@dataclass(frozen=True)
class Note:
    """The name and the note that people gave to one latent, as they stand now."""

    latent: int
    name: str | None = None
    text: str | None = None
    revision: int = 0  # of the change that made it so; 0: nobody has said anything yet
    changed_at: datetime | None = None  # UTC
    undoable: bool = False

    @property
    def words(self) -> str:
        """Both, for searching."""
        return f"{self.name or ''} {self.text or ''}"

    @property
    def empty(self) -> bool:
        """Neither a name nor a note."""
        return self.name is None and self.text is None


@dataclass(frozen=True)
class Change:
    """One entry of a latent's history."""

    kind: Kind
    name: str | None
    text: str | None
    revision: int
    changed_at: datetime


class Words(NamedTuple):
    """A name and a note, cleaned and within bounds."""

    name: str | None
    text: str | None


@dataclass(frozen=True)
class Comparison:
    """One latent of an import file beside what stands here."""

    mine: Note
    theirs: Words

    @property
    def conflicting(self) -> bool:
        """Both say something, and not the same."""
        pairs = ((self.mine.name, self.theirs.name), (self.mine.text, self.theirs.text))
        return any(mine is not None and theirs is not None and mine != theirs for mine, theirs in pairs)

    def merged(self, choice: Choice) -> Words:
        """What stands after the import. What only one side says is kept in any case."""
        mine = Words(self.mine.name, self.mine.text)
        first, second = (mine, self.theirs) if choice == "mine" else (self.theirs, mine)
        return Words(first.name or second.name, first.text or second.text)

    @property
    def same(self) -> bool:
        """The file says nothing that does not stand here already."""
        return not self.conflicting and self.merged("mine") == Words(self.mine.name, self.mine.text)


@dataclass(frozen=True)
class Preview:
    """What an import would do."""

    new: tuple[Comparison, ...]
    same: tuple[Comparison, ...]
    conflicting: tuple[Comparison, ...]
