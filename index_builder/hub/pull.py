"""A store from the hub: fetched beside its place, checked to the last byte, and put there by one rename."""

from __future__ import annotations

import glob
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import RemoteEntryNotFoundError
from tqdm import tqdm

from index_builder.commands import PullCommand
from index_builder.hub.places import KIND, HubError, Place, read_place, said_plainly
from index_builder.hub.putting import alone, partial_of, put
from index_builder.publish import file_info
from sae_core.store import LatentStore, layout
from sae_core.store.checks import quick_defects, read_manifest
from sae_core.store.manifest import Manifest

log = logging.getLogger("sparsight")
_WORKERS = 4


def pull(command: PullCommand) -> Manifest:
    """Fetches what is missing, and returns the store's manifest. Raises HubError or StoreError.

    Until everything is there and has the size and hash that the manifest says, nothing lies at `out` but what lay there
    before; an interrupted pull goes on.
    """
    place = read_place(command.repo, command.revision)
    with alone(command.out):
        return _pulled(place, command.out, command.replace)


def _pulled(place: Place, out: Path, replace: bool) -> Manifest:
    _check_place(out)
    partial = partial_of(out)
    with said_plainly(place):
        api = HfApi()
        commit = str(api.dataset_info(place.repo, revision=place.revision).sha)
        manifest = _manifest(api, place, commit, partial)
        same = _is_there(out, partial)
        if same and not quick_defects(out, manifest):
            shutil.rmtree(partial)
            log.info("%s is that store already", out)
            return manifest
        if out.exists() and not replace:
            what = "a damaged copy of that store" if same else "another store"
            raise HubError(f"{what} lies at {out}: choose another --out, or say --replace")
        _fetch(api, place, commit, manifest, partial)
    _drop_others(manifest, partial)
    _check(place, manifest, partial)
    put(partial, out)
    return manifest


def _check_place(out: Path) -> None:
    """Raises HubError where something lies there that is no store: it would be lost."""
    if out.is_dir() and not out.is_symlink() and next(out.iterdir(), None) is None:
        out.rmdir()
    if out.is_symlink() or (out.exists() and not (out / layout.MANIFEST).is_file()):
        raise HubError(f"{out} is there and is no store: choose another --out")


def _manifest(api: HfApi, place: Place, commit: str, partial: Path) -> Manifest:
    """Raises HubError where there is none, StoreError where it is not valid: then no file of it is asked for."""
    partial.mkdir(parents=True, exist_ok=True)
    try:
        api.hf_hub_download(place.repo, layout.MANIFEST, repo_type=KIND, revision=commit, local_dir=partial)
    except RemoteEntryNotFoundError as error:
        raise HubError(f"{place} is no latent store: it has no {layout.MANIFEST}") from error
    return read_manifest(partial)


def _is_there(out: Path, partial: Path) -> bool:
    manifest = out / layout.MANIFEST
    return manifest.is_file() and manifest.read_bytes() == (partial / layout.MANIFEST).read_bytes()


def _fetch(api: HfApi, place: Place, commit: str, manifest: Manifest, partial: Path) -> None:
    """Only what the manifest lists, whose names a valid manifest takes from the format."""
    missing = sum(info.size for name, info in manifest.files.items() if not (partial / name).is_file())
    free = shutil.disk_usage(partial).free
    if missing > free:
        raise HubError(f"{place} needs {_gigabytes(missing)}, and {_gigabytes(free)} are free at {partial.parent}")
    log.info("fetching %s: %s", place, _gigabytes(missing))
    api.snapshot_download(
        place.repo,
        repo_type=KIND,
        revision=commit,
        local_dir=partial,
        allow_patterns=[glob.escape(name) for name in manifest.files],
        max_workers=_WORKERS,
    )


def _drop_others(manifest: Manifest, partial: Path) -> None:
    """Files that an interrupted pull of another commit has left: no part of this store, and perhaps withdrawn since."""
    kept = {partial / name for name in (*manifest.files, layout.MANIFEST)}
    for path in partial.rglob("*"):
        if path not in kept and partial / ".cache" not in path.parents and not path.is_dir():
            path.unlink()


def _check(place: Place, manifest: Manifest, partial: Path) -> None:
    """Raises HubError, and removes what is wrong, so that the next pull fetches it again."""
    wrong = list(_wrong(manifest, partial))
    for name in wrong:
        (partial / name).unlink(missing_ok=True)
    if wrong:
        shutil.rmtree(partial / ".cache", ignore_errors=True)  # the client's belief that these are right
        said = f"of {place}, {len(wrong)} files are not what its manifest says: {', '.join(wrong[:3])}"
        raise HubError(f"{said}; nothing was changed here, and the same command fetches them again")
    LatentStore.open(partial).close()


def _wrong(manifest: Manifest, partial: Path) -> Iterator[str]:
    for name, info in tqdm(manifest.files.items(), desc="checking", unit="file"):
        path = partial / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size != info.size or file_info(path) != info:
            yield name


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
