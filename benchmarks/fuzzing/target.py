"""What is fuzzed: one door through which foreign bytes come in, and what may come out of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random

from sae_core.references import REPOSITORY_ROOT

CORPUS = REPOSITORY_ROOT / "tests" / "fuzz" / "corpus"  # a folder a target: seeds, and all that was ever found


class Fault(Exception):
    """The code under test did something that it must not do, without raising."""


class Target(ABC):
    """One door. An exception that leaves `run` is a fault of the code under test."""

    max_bytes = 32_768  # of an input

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    @abstractmethod
    def seeds(self) -> Mapping[str, bytes]:
        """Good inputs by name, made anew."""

    @abstractmethod
    def run(self, data: bytes) -> str:
        """Takes one input; the outcome in a few words, few enough kinds of them to be counted."""

    def mutate(self, data: bytes, random: Random) -> bytes:
        """A change that knows the format. The engine's own changes of bytes come beside it."""
        return data


@dataclass(frozen=True)
class Door:
    """Where a target is found. It is imported late: the engine instruments what is imported after it."""

    module: str
    instrumented: tuple[str, ...]  # packages whose branches guide the engine

    def open(self, workspace: Path) -> Target:
        """The target; `workspace` is an empty folder of its own."""
        target: Target = import_module(self.module).make(workspace)
        return target


DOORS = {
    "pictures": Door("benchmarks.fuzzing.pictures", ("PIL", "sae_core.pictures")),
    "tars": Door("benchmarks.fuzzing.tars", ("tarfile", "json", "index_builder", "sae_core")),
    "parquets": Door("benchmarks.fuzzing.parquets", ("index_builder", "sae_core")),
    "manifests": Door("benchmarks.fuzzing.manifests", ("sae_core", "numpy.lib")),
    "queries": Door("benchmarks.fuzzing.queries", ("explorer", "sae_core")),
}
