"""Where a store lies on the hub, and one sentence for everything that keeps us from it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2 as httpx  # what huggingface_hub speaks with
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from sae_core.errors import SparsightError, first_line
from sae_core.hub_calls import one_line_of_retries

KIND = "dataset"
_NAME = r"\w[\w.-]*"
_REFERENCE = re.compile(rf"(?:hf://)?(?:datasets/)?(?P<repo>{_NAME}/{_NAME})(?:@(?P<revision>\w[\w./-]*))?", re.ASCII)
_LOG_IN = "log in with `hf auth login`, or set HF_TOKEN"


class HubError(SparsightError):
    """What keeps a store from going to the hub or coming from it, and the way out."""


@dataclass(frozen=True)
class Place:
    """A data-set repository; `revision` is a branch, a tag or a commit, None the main branch."""

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        return self.repo if self.revision is None else f"{self.repo}@{self.revision}"


def read_place(said: str, revision: str | None = None) -> Place:
    """Reads `org/name`, `org/name@revision` and the same with `hf://` before it. Raises HubError."""
    match = _REFERENCE.fullmatch(said)
    if match is None or ".." in said:
        raise HubError(f"{said!r} names no repository: write ORG/NAME, hf://ORG/NAME or hf://ORG/NAME@REVISION")
    if revision and match["revision"] and revision != match["revision"]:
        raise HubError(f"{said!r} names one revision and --revision another: {revision}")
    return Place(match["repo"], revision or match["revision"])


@contextmanager
def said_plainly(place: Place) -> Iterator[None]:
    """Raises HubError, in one sentence with the way out, for everything that the hub and its client raise."""
    try:
        with one_line_of_retries():
            yield
    except (OSError, ValueError, RuntimeError, httpx.TransportError) as error:
        cause = error.__cause__ if type(error) is RuntimeError else error  # how the client wraps a failed upload
        sentence = _sentence(place, cause)
        if sentence is None:
            raise
        raise HubError(sentence) from error


def _sentence(place: Place, error: BaseException | None) -> str | None:
    """None for what has nothing to do with the hub."""
    if isinstance(error, OfflineModeIsEnabled | LocalEntryNotFoundError | httpx.TransportError):
        return "the hub cannot be reached; the same command goes on where this one stopped"
    if isinstance(error, HFValidationError):
        return f"{place.repo!r} is no name of a repository: {first_line(error)}"
    if isinstance(error, HfHubHTTPError):
        return _refusal(place, error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; make room, and the same command goes on where this one stopped"
    return None


def _refusal(place: Place, error: HfHubHTTPError) -> str:
    if isinstance(error, GatedRepoError):
        return f"{place.repo} is gated: accept its terms on its page, then {_LOG_IN}"
    if isinstance(error, RevisionNotFoundError):
        return f"{place.repo} has no revision {place.revision or 'main'}"
    if isinstance(error, RepositoryNotFoundError):
        return f"the hub has no data set {place.repo}, or it is private: {_LOG_IN}"
    status = error.response.status_code
    known = {
        401: f"the hub does not know you: {_LOG_IN}",
        403: f"your token may not do this with {place.repo}: it needs the right to write there",
        412: f"{place.repo} was changed by somebody else meanwhile; run the same command again",
    }
    return known.get(status, f"the hub refused ({status}): {first_line(error)}")
