"""Where a store's notes lie, and whether this app may write them."""

from __future__ import annotations

import os
from pathlib import Path

NOTES_VARIABLE = "SPARSIGHT_NOTES"
READ_ONLY_VARIABLE = "SPARSIGHT_READ_ONLY"


def notes_path(store_path: Path) -> Path:
    """The path in SPARSIGHT_NOTES, or `STORE.notes.sqlite` beside the store's folder: never in it."""
    if said := os.environ.get(NOTES_VARIABLE):
        return Path(said).expanduser()
    # "." and ".." have no name to put a suffix on; a link keeps its own.
    folder = store_path.resolve() if store_path.name in ("", "..") else store_path.absolute()
    return folder.with_name(f"{folder.name}.notes.sqlite")


def read_only_reason(path: Path) -> str | None:
    """Why nothing can be saved at this path, in one sentence; None where it can."""
    if os.environ.get(READ_ONLY_VARIABLE, "").strip().lower() in ("1", "true", "yes", "on"):
        return "This explorer is read-only."
    if not path.parent.is_dir():
        return f"Notes cannot be saved: the folder {path.parent} does not exist."
    if not os.access(path.parent, os.W_OK):  # SQLite keeps its journal beside the file
        return f"Notes cannot be saved: the folder {path.parent} is not writable here."
    if path.exists() and not os.access(path, os.W_OK):
        return f"Notes cannot be saved: {path} is not writable here."
    return None
