"""A folder that was fetched beside its place, put there: one process at a time, and never without a way back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index_builder.existing import a_place, check_writable
from index_builder.hub.places import HubError
from index_builder.workdir import held
from sae_core.disk import sync_folder
from sae_core.store import layout


def partial_of(out: Path) -> Path:
    """Where it is fetched to."""
    return out.with_name(f".{out.name}.pulling")


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Raises BuildError while another process pulls to this place, or where nothing can be written there.

    What one that was killed moved away is back.
    """
    with a_place(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        check_writable(out.parent)
    lock = out.with_name(f".{out.name}.lock")
    with held(lock, f"another pull is writing {out}: wait for it, or choose another --out"):
        _restore(out)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def put(partial: Path, out: Path) -> None:
    """Two renames where something lies there, and none of them where there is nothing to put."""
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    if not (partial / layout.MANIFEST).is_file():
        raise HubError(f"{partial} was removed while it was fetched; nothing was changed at {out}")
    old = _old(out)
    if out.exists():
        shutil.rmtree(old, ignore_errors=True)
        out.rename(old)
    try:
        partial.rename(out)
    except OSError:
        _restore(out)
        raise
    sync_folder(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def _restore(out: Path) -> None:
    old = _old(out)
    if old.is_dir() and not os.path.lexists(out):
        old.rename(out)
        sync_folder(out.parent)


def _old(out: Path) -> Path:
    return out.with_name(f".{out.name}.old")
