"""Notes as JSON, to keep, to share and to take in. docs/notes.md describes the format."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.notes.book import NoteBook
from explorer.notes.errors import NotesError
from explorer.notes.records import Words
from explorer.notes.texts import cleaned
from sae_core import LatentStore


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoreName(_Part):
    """Where the notes were taken; for people, nothing depends on it."""

    name: str
    version: str


class Entry(_Part):
    """One latent's name and note."""

    latent: Annotated[int, Field(ge=0, strict=True)]
    name: str | None = None
    note: str | None = None
    changed_at: datetime | None = None


class NotesFile(_Part):
    """All notes on one SAE."""

    format: Literal["sparsight-notes"] = "sparsight-notes"
    schema_version: Literal[1] = 1
    store: StoreName
    sae: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # fingerprint: notes belong to the SAE, not to the store
    exported_at: datetime
    notes: list[Entry]


def exported(store: LatentStore, book: NoteBook) -> str:
    """The file's text. Raises NotesError where the notes cannot be read."""
    entries = [
        Entry(latent=note.latent, name=note.name, note=note.text, changed_at=note.changed_at)
        for note in book.all().values()
        if note.latent not in store.hidden.latents
    ]
    whose = StoreName(name=store.manifest.name, version=store.version)
    now = datetime.now(UTC).replace(microsecond=0)
    return NotesFile(store=whose, sae=book.sae, exported_at=now, notes=entries).model_dump_json(indent=2) + "\n"


def imported(data: bytes, book: NoteBook) -> dict[int, Words]:
    """What a file says of this SAE's latents. Raises NotesError, in one sentence, where it is no such file."""
    try:
        file = NotesFile.model_validate_json(data)
    except ValidationError as error:
        raise NotesError(_first(error)) from error
    if file.sae != book.sae:
        raise NotesError(
            f"these are notes on another SAE ({file.sae[:12]}, of the store “{file.store.name}”); "
            f"this store's SAE is {book.sae[:12]}"
        )
    return _words(file, book.n_latents)


def _words(file: NotesFile, n_latents: int) -> dict[int, Words]:
    words: dict[int, Words] = {}
    for entry in file.notes:
        if entry.latent in words:
            raise NotesError(f"the file speaks of #{entry.latent} twice; nothing was imported")
        if entry.latent >= n_latents:
            raise NotesError(f"the file speaks of #{entry.latent}, but this SAE has latents 0 … {n_latents - 1:,}")
        try:
            words[entry.latent] = cleaned(entry.name, entry.note)
        except NotesError as error:
            raise NotesError(f"#{entry.latent} in the file: {error}") from error
    return {latent: said for latent, said in words.items() if said != (None, None)}


def _first(error: ValidationError) -> str:
    """The first defect says enough; a file that is not JSON has only one."""
    details = error.errors(include_url=False, include_input=False)[0]
    if details["type"] == "json_invalid":
        why = details["msg"].removeprefix("Invalid JSON: ")
        return f"this file is no JSON ({why}); the page of names and notes exports one"
    where = ".".join(str(part) for part in details["loc"])
    return f"this file is no notes file of Sparsight ({where}: {details['msg'][:1].lower()}{details['msg'][1:]})"
