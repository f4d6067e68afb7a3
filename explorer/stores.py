"""Which store the app shows, and one open handle of it for pages and routes alike."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from pathlib import Path

from sae_core import LatentStore
from sae_core.errors import HideListError, SourceError, StoreError
from sae_core.store import checks

STORE_VARIABLE = "SPARSIGHT_STORE"
IMAGES_VARIABLE = "SPARSIGHT_IMAGES"
HIDE_VARIABLE = "SPARSIGHT_HIDE"
DEFAULT_STORE = Path(__file__).resolve().parents[1] / "stores" / "demo"

_LOOK_EVERY = 1.0  # seconds: some thirty files
_looked: tuple[str, float] = ("", 0.0)  # which store was whole, and when

Identity = tuple[int, int, int]  # inode, size and time of a file: that of the manifest tells a rebuilt store


def store_path() -> Path:
    """The path in SPARSIGHT_STORE, or the demonstration's."""
    return Path(os.environ.get(STORE_VARIABLE) or DEFAULT_STORE).expanduser()


def images_path() -> Path | None:
    """The viewer's own copy of the pictures, as SPARSIGHT_IMAGES names it."""
    said = os.environ.get(IMAGES_VARIABLE)
    return Path(said).expanduser() if said else None


def hide_path(store: Path) -> Path | None:
    """The hide-list: the file in SPARSIGHT_HIDE, or NAME.hide.json beside a store of that name, where there is one."""
    said = os.environ.get(HIDE_VARIABLE)
    return Path(said).expanduser() if said else hide_beside(store)


def hide_beside(store: Path) -> Path | None:
    """NAME.hide.json beside a store of that name, where there is one."""
    file = store.with_name(f"{store.name}.hide.json")
    return file if os.path.lexists(file) else None


def current_store() -> LatentStore:
    """The store as it is on disk now: a store that was rebuilt meanwhile is opened anew. Raises StoreError."""
    path = store_path()
    now, hide = identity(path / "manifest.json"), hide_path(path)
    hide_now = identity(hide) if hide else None
    try:
        if now is None:
            return LatentStore.open(path)  # which says why not
        return _whole(_open(path, now, images_path(), hide, hide_now))
    except HideListError:
        raise
    except StoreError as error:
        raise _with_demo_hint(error, path) from error
    except SourceError as error:
        hint = f"set {IMAGES_VARIABLE} to your copy of the pictures, or unset it"
        raise StoreError(f"{IMAGES_VARIABLE}: {error}", hint=hint) from error


# One: the old handle goes when the store is rebuilt. Failures are not kept: a page is right as soon as the store is.
@lru_cache(maxsize=1)
def _open(
    path: Path, _now: Identity, originals: Path | None, hide: Path | None, _hide_now: Identity | None
) -> LatentStore:
    return LatentStore.open(path, originals, hide)


def _whole(store: LatentStore) -> LatentStore:
    """The store, if all its files still have their sizes, as looked at once a second. Raises StoreError.

    A file that was cut off while it is mapped would end the process where it is read (SIGBUS).
    """
    global _looked
    now = time.monotonic()
    if now - _looked[1] < _LOOK_EVERY and _looked[0] == store.version:
        return store
    if defects := checks.changed_files(store.path, store.manifest):
        _open.cache_clear()  # what is mapped is not read again, even if the files come back under their names
        raise checks.broken(store.path, defects)
    _looked = (store.version, now)
    return store


def _with_demo_hint(error: StoreError, path: Path) -> StoreError:
    """The demonstration has a shorter way out than other stores."""
    if path.resolve() != DEFAULT_STORE.resolve():
        return error
    return StoreError(str(error), error.defects, hint=f"rm -r {path} && make demo" if path.exists() else "make demo")


def identity(file: Path) -> Identity | None:
    """Which file it is now; None where there is none."""
    try:
        now = file.stat()
    except OSError:
        return None
    return now.st_ino, now.st_size, now.st_mtime_ns
