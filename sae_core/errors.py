"""Every error a person may meet. `str(error)` is one clear sentence; the edge (CLI, page) prints it as it is."""

from __future__ import annotations

from collections.abc import Sequence


def first_line(error: BaseException) -> str:
    """What went wrong, in a line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def printable(text: str) -> str:
    """Text for a terminal: what would move its cursor or begin a line is spelled out, as in `\\x1b`."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )


class SparsightError(Exception):
    """Base of all errors that are meant for a person: says the value, what was allowed and the way out."""


class CheckpointError(SparsightError):
    """An SAE checkpoint that is missing, or in no format that we read."""


class EncoderError(SparsightError):
    """An encoder reference that names nothing, or weights that do not fit the model."""


class MismatchError(SparsightError):
    """Two parts that must not be mixed: another encoder, preprocessing or SAE than the store was built with."""


class PictureError(SparsightError):
    """Bytes that are no picture we can show: `reason` is a word for tables, the message a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type[PictureError], tuple[str, str]]:
        """Both arguments, so that the error survives the way back from a worker process."""
        return type(self), (self.reason, str(self))


class SourceError(SparsightError):
    """A picture source that cannot be listed."""


class ChangedError(SourceError):
    """A file of a source that became another one after it was listed: what was listed no longer says what is in it."""


class BuildError(SparsightError):
    """A build that cannot start or go on, and what to do about it."""


class TrainingError(SparsightError):
    """Training data or settings that cannot make an SAE."""


class WithheldError(SparsightError):
    """A latent or picture that the store's hide-list withholds."""


class StoreError(SparsightError):
    """A store that cannot be opened: `defects` lists every one found, `hint` is the command that mends it."""

    def __init__(self, message: str, defects: Sequence[str] = (), hint: str = "make demo") -> None:
        super().__init__(message)
        self.defects = list(defects)
        self.hint = hint


class HideListError(StoreError):
    """A hide-list that cannot be followed: the store is not shown, since what was to be hidden is not known."""
