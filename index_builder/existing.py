"""What lies at `--out` already: nothing, a finished store of the same things, or something that is left alone."""

from __future__ import annotations

import logging
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
    """Makes room for a store at `out`; an empty folder is room. Raises BuildError where something else lies there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.is_symlink() and not out.exists():
        raise BuildError(f"{out} is a link to nothing: remove it, or choose another --out")
    if out.is_dir() and not out.is_symlink() and next(out.iterdir(), None) is None:
        out.rmdir()
    if out.exists() and not (out / layout.MANIFEST).is_file():
        raise BuildError(f"{out} exists and is no store: choose another --out, or remove it")


def finished(out: Path, asked: Asked, work: WorkDir) -> Manifest | None:
    """The manifest of a published store that is what was asked for; None where there is none.

    Raises BuildError where it is another one: a store is never overwritten.
    """
    if not out.exists():
        return None
    try:
        there = read_manifest(out)
    except StoreError as error:
        raise BuildError(f"{error}; remove {out} to build it anew") from error
    if (there.thumbnail_side or 0) != asked.thumbnail_side or there.name != asked.name:
        raise BuildError(f"{out} has another name or thumbnail side: choose another --out, or remove it")
    if there.encoder.precision != asked.precision:
        raise BuildError(f"{out} was built in {there.encoder.precision}: choose another --out, or remove it")
    if there.encoder.decoder != asked.decoder:
        raise BuildError(f"{out} was built with --decode {there.encoder.decoder}: choose another --out, or remove it")
    found = (there.source.listing_sha256, there.encoder.fingerprint, there.sae.fingerprint)
    if found != (asked.listing, asked.encoder, asked.sae):
        raise BuildError(f"{out} is a finished store of other pictures or models: choose another --out, or remove it")
    log.info(
        "%s is already built from pictures of these names and these models; nothing to do "
        "(whether pictures have changed was not looked at: --reuse %s and another --out take those that have)",
        out,
        out,
    )
    work.remove()
    return there
