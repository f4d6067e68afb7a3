"""The directory of an unfinished build, beside the store: `STORE.building/` with its lock, its job and its shards."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sae_core.disk import write_atomically
from sae_core.errors import BuildError

JOB, LOCK = "job.json", "lock"  # what the build was asked to do, and who is at it
_PICTURES = {"listing", "files"}  # the parts of a job that are hashes of these


class WorkDir:
    """Holds everything that a resumed build goes on from."""

    def __init__(self, out: Path) -> None:
        self.root = out.with_name(out.name + ".building")
        self.shards = self.root / "shards"
        self.store = self.root / "store"
        self._job = self.root / JOB

    def shard_path(self, shard: int) -> Path:
        """Where a finished shard lies."""
        return self.shards / f"{shard:06d}.arrow"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Creates the directory and holds its lock. Raises BuildError while another build holds it."""
        if self.root.exists() and not self.root.is_dir():
            raise BuildError(f"{self.root} is where an unfinished build would lie, and is no folder: remove it")
        self.shards.mkdir(parents=True, exist_ok=True)
        with held(self.root / LOCK, f"another build is writing {self.root}: wait for it, or choose another --out"):
            yield

    def claim(self, job: Mapping[str, Any]) -> None:
        """Starts or resumes a job. Raises BuildError where what lies here was started with other settings."""
        if not self._job.is_file():
            write_atomically(self._job, json.dumps(job, indent=2, sort_keys=True).encode())
            return
        started = json.loads(self._job.read_bytes())
        if changed := sorted(name for name in {*job, *started} if job.get(name) != started.get(name)):
            raise BuildError(_changed(self.root, changed, started, job))

    def fresh_store(self) -> Path:
        """An empty directory to assemble in; what a killed assembly left is removed."""
        shutil.rmtree(self.store, ignore_errors=True)
        self.store.mkdir()
        return self.store

    def remove(self) -> None:
        """Removes everything of the build."""
        shutil.rmtree(self.root, ignore_errors=True)


def _changed(root: Path, changed: list[str], started: Mapping[str, Any], job: Mapping[str, Any]) -> str:
    """A sentence on what keeps an unfinished build from going on; hashes say nothing to a person."""
    settings = [f"{name} was {started.get(name)}, is {job.get(name)}" for name in changed if name not in _PICTURES]
    pictures = ["the pictures have changed since it began"] if _PICTURES & {*changed} else []
    if not settings:
        return f"{root} holds an unfinished build, and {pictures[0]}: remove that folder to start anew"
    said = "; ".join(pictures + settings)
    return (
        f"{root} holds an unfinished build with other settings ({said}): "
        "run with the old settings to resume it, or remove that folder to start anew"
    )


@contextmanager
def held(path: Path, otherwise: str) -> Iterator[None]:
    """Holds a lock file. Raises BuildError, `otherwise`, while another process does."""
    with open(path, "w") as lock:
        try:
            # Not flock: forked decoding processes would inherit it and could outlive a killed build.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise BuildError(otherwise) from error
        if not path.exists() or not os.path.samestat(path.stat(), os.fstat(lock.fileno())):
            raise BuildError(otherwise)  # the last holder removed it after we had opened it: it keeps nobody out
        yield
