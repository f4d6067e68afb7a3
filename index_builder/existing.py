"""What lies at `--out` already: nothing, a finished store of the same things, or something that is left alone."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index_builder.workdir import WorkDir
from sae_core.encoder.preprocessing import Decoder, Precision
from sae_core.errors import BuildError, StoreError
from sae_core.store import layout
from sae_core.store.checks import read_manifest
from sae_core.store.manifest import Manifest

log = logging.getLogger("sparsight")


@dataclass(frozen=True)
class Asked:
    """What tells a store from another one."""

    name: str
    thumbnail_side: int  # 0: none
    listing: str  # hash of the keys
    encoder: str  # fingerprint
    precision: Precision
    decoder: Decoder
    sae: str  # fingerprint


def check_out(out: Path) -> None:
    """Makes the folders above `out`. Raises BuildError where a store can neither be put nor is one."""
    with a_place(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        WorkDir(out).root.exists()  # its name is longer
        if out.is_symlink() and not out.exists():
            raise BuildError(f"{out} is a link to nothing: remove it, or choose another --out")
        if _is_room(out):
            check_writable(out.parent)
        elif not (out / layout.MANIFEST).is_file():
            raise BuildError(f"{out} exists and is no store: choose another --out, or remove it")


@contextmanager
def a_place(out: Path) -> Iterator[None]:
    """Raises BuildError for what the file system has against `out`, but that the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise BuildError(f"nothing can be written at {out} ({error.strerror}): choose another --out") from error


def check_writable(folder: Path) -> None:
    """Raises PermissionError where nothing can be put into a folder: what wants to should not load models first."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def finished(out: Path, asked: Asked, work: WorkDir) -> Manifest | None:
    """The manifest of a published store that is what was asked for; None where there is none.

    Raises BuildError where it is another one: a store is never overwritten.
    """
    if _is_room(out):
        return None
    try:
        there = read_manifest(out)
    except StoreError as error:
        raise BuildError(f"{error}; remove {out} to build it anew") from error
    _check_same(out, there, asked)
    log.info("%s is already built from pictures of these names and these models; nothing to do", out)
    work.remove()
    return there


def _check_same(out: Path, there: Manifest, asked: Asked) -> None:
    """Raises BuildError where a store is of other things than were asked for."""
    if (there.thumbnail_side or 0) != asked.thumbnail_side or there.name != asked.name:
        raise BuildError(f"{out} has another name or thumbnail side: choose another --out, or remove it")
    if there.encoder.precision != asked.precision:
        raise BuildError(f"{out} was built in {there.encoder.precision}: choose another --out, or remove it")
    if there.encoder.decoder != asked.decoder:
        raise BuildError(f"{out} was built with --decode {there.encoder.decoder}: choose another --out, or remove it")
    found = (there.source.listing_sha256, there.encoder.fingerprint, there.sae.fingerprint)
    if found != (asked.listing, asked.encoder, asked.sae):
        raise BuildError(f"{out} is a finished store of other pictures or models: choose another --out, or remove it")


def _is_room(out: Path) -> bool:
    """Nothing, or an empty folder: publishing puts the store in its place."""
    return not out.exists() or (out.is_dir() and not out.is_symlink() and next(out.iterdir(), None) is None)
