"""manifest.json: a store opens, or there is a StoreError that lists what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzzing.base_store import base_store, read_everything
from benchmarks.fuzzing.target import Fault, Target
from sae_core import LatentStore
from sae_core.errors import SparsightError, StoreError
from sae_core.store import layout
from sae_core.store.manifest import Manifest

_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 10**6, 2**31, 2**63, 10**400, 0.5, 1e308, float("nan"), float("inf"), "", "..", "/", "\0",
    "../../etc/passwd", "<script>", "\ud800", "x" * 5_000, [], {}, [[[[]]]], {"": None}, "0" * 64, "1e999",
)  # fmt: skip


class Manifests(Target):
    """`LatentStore.open` on a sound store with another manifest."""

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self._base = base_store(workspace)
        self._store = workspace / "store"
        shutil.rmtree(self._store, ignore_errors=True)
        shutil.copytree(self._base, self._store, symlinks=True)

    def seeds(self) -> Mapping[str, bytes]:
        """The store's own."""
        return {"manifest.json": (self._base / layout.MANIFEST).read_bytes()}

    def run(self, data: bytes) -> str:
        """Whether it opened; the first defect's field otherwise."""
        (self._store / layout.MANIFEST).write_bytes(data)
        try:
            store = LatentStore.open(self._store)
        except StoreError as error:
            if not str(error) or not error.hint:
                raise Fault(f"a refusal without words: {error!r}") from error
            return f"refused: {_field_of(error)}"
        try:
            read_everything(store)
        except SparsightError as error:
            return f"opened, then {type(error).__name__}"
        return "opened"

    def mutate(self, data: bytes, random: Random) -> bytes:
        """Another value, a key more or less, somewhere in the tree."""
        try:
            tree = json.loads(data)
        except (ValueError, RecursionError):
            return data
        for _ in range(random.choice((1, 1, 2))):
            tree = changed(tree, random)
        return json.dumps(tree).encode("utf-8", "surrogatepass")


def changed(tree: Any, random: Random) -> Any:
    """A JSON value with one part of it changed."""
    inside = isinstance(tree, dict | list) and tree and random.random() < 0.9
    if not inside:
        return random.choice(_VALUES)
    if isinstance(tree, list):
        at = random.randrange(len(tree))
        return [*tree[:at], changed(tree[at], random), *tree[at + 1 :]]
    key = random.choice(list(tree))
    what = random.random()
    if what < 0.1:
        return {other: value for other, value in tree.items() if other != key}
    if what < 0.2:
        return {**tree, random.choice(["", "../x", "/x", "name", "files"]): random.choice(_VALUES)}
    return {**tree, key: changed(tree[key], random)}


def make(workspace: Path) -> Target:
    """The target."""
    return Manifests(workspace)


def _field_of(error: StoreError) -> str:
    """Kinds of defects, without names and numbers."""
    words = (
        error.defects[0].split(": ")[1:2] if error.defects and "manifest.json" in error.defects[0] else ["its files"]
    )
    field = words[0].split(".")[0]
    return field if field in (*Manifest.model_fields, "the file", "its files") else "another field"
