"""Files that are whole, and on the disk, before anything relies on them."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Writes under a temporary name, syncs, renames: a reader sees all of it or nothing."""
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as file:
        file.write(data)
        sync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync(descriptor: int) -> None:
    """Waits until a file's bytes are on disk."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Waits until a folder's entries are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
