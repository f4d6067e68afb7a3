"""Other SAEs on the same pictures, in stores that SPARSIGHT_BESIDE names: do they find this store's latents again?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from explorer.stores import Identity, hide_beside, hide_path, identity, store_path
from sae_core import LatentStore
from sae_core.errors import MismatchError, SparsightError
from sae_core.store import checks, layout
from sae_core.store.hidden import HideList, read_hide_list

BESIDE_VARIABLE = "SPARSIGHT_BESIDE"
MOST = 8  # stores


@dataclass(frozen=True)
class Beside:
    """What the store is held against."""

    stores: tuple[LatentStore, ...] = ()
    problems: tuple[str, ...] = ()  # a sentence for each that cannot be


def beside_paths() -> list[Path]:
    """The folders in SPARSIGHT_BESIDE, separated as in PATH."""
    said = os.environ.get(BESIDE_VARIABLE, "").split(os.pathsep)
    return list(dict.fromkeys(Path(part).expanduser() for part in map(str.strip, said) if part))


def stores_beside(store: LatentStore) -> Beside:
    """The stores as they are on disk now; what this store's list hides of the pictures is hidden in them, too."""
    found, problems = [], []
    paths = beside_paths()
    if len(paths) > MOST:
        problems.append(f"{BESIDE_VARIABLE}: the first {MOST} of {len(paths)} stores are compared")
    for path in paths[:MOST]:
        try:
            found.append(_checked(store, path))
        except SparsightError as error:
            problems.append(f"{BESIDE_VARIABLE}: {error}")
    return Beside(tuple(found), tuple(problems))


def _checked(store: LatentStore, path: Path) -> LatentStore:
    """Raises StoreError, or MismatchError where the two cannot be compared."""
    now = identity(path / layout.MANIFEST)
    other = LatentStore.open(path) if now is None else _open(path, now, _hide_list(path))  # the former says why not
    if defects := checks.changed_files(other.path, other.manifest):  # a map of a file that is cut off ends the process
        _open.cache_clear()
        raise checks.broken(other.path, defects)
    if other.manifest.encoder.fingerprint != store.manifest.encoder.fingerprint:
        raise MismatchError(f"{path} was made with another encoder, whose directions mean nothing here")
    if other.manifest.files[layout.IMAGES].sha256 != store.manifest.files[layout.IMAGES].sha256:
        raise MismatchError(f"{path} holds other pictures; recode makes a store with another SAE from this one's")
    if other.manifest.sae.fingerprint == store.manifest.sae.fingerprint:
        raise MismatchError(f"{path} has this store's own SAE, which finds everything again")
    return other


@lru_cache(maxsize=MOST)
def _open(path: Path, _now: Identity, hide: HideList | None) -> LatentStore:
    return LatentStore.open(path, hide=hide)


def _hide_list(path: Path) -> HideList | None:
    """The other store's own list, and of this store's what is said of labels and pictures: both have the same ones."""
    ours, theirs = hide_path(store_path()), hide_beside(path)
    here = read_hide_list(ours) if ours else HideList()
    there = read_hide_list(theirs) if theirs else HideList()
    joined = HideList(
        latents=there.latents, labels=(*here.labels, *there.labels), pictures=(*here.pictures, *there.pictures)
    )
    return joined if joined != HideList() else None
