"""Fuzzes every door for foreign bytes, and says what came of it: `python -m benchmarks.fuzz --seconds 120`.

`--replay` only tries the corpus again. Faults are kept in `--found`, a folder a target: what is mended is moved into
tests/fuzz/corpus/TARGET, where a test tries it for ever.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from benchmarks.fuzzing.replay import replay
from benchmarks.fuzzing.target import DOORS
from benchmarks.machine import machine

_MAX_CRASHES = 25  # of a target: more say nothing new
_SHOWN = 40  # outcomes
_ROOM_S = 60  # to start and to end
_MEMORY_DISK = Path("/dev/shm")


@dataclass
class Options:
    """What is tried, and for how long."""

    seconds: int = 60
    """For each target."""
    targets: tuple[str, ...] = tuple(DOORS)
    """Which doors."""
    found: Path = Path(tempfile.gettempdir()) / "sparsight-fuzz"
    """Where inputs that showed a fault are kept."""
    replay: bool = False
    """Only try the corpus again."""


@dataclass
class Total:
    """Of all runs on one target: a run ends at a crash, and the next one goes on."""

    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    crashes: list[str] = field(default_factory=list)  # of the process: hangs and memory out of bounds too

    def line(self, name: str, seconds: float) -> str:
        """For the docs."""
        good = len([outcome for outcome in self.outcomes if not outcome.startswith("FAULT")])
        rate = self.tried / max(seconds, 1)
        said = f"{name}: {self.tried:,} inputs ({rate:,.0f}/s), {good} outcomes"
        return f"{said}, {len(self.faults)} faults, {len(self.crashes)} crashes or hangs"


def main(options: Options) -> int:
    """Exit 1 where anything was found."""
    if options.replay:
        return replay(options.targets)
    print(machine())
    totals = {name: fuzz(name, options.seconds, options.found / name) for name in options.targets}
    return 1 if any(total.faults or total.crashes for total in totals.values()) else 0


def fuzz(name: str, seconds: int, found: Path) -> Total:
    """Runs one target, again after every crash, and prints what came of it."""
    found.mkdir(parents=True, exist_ok=True)
    total, started = Total(), time.monotonic()
    with tempfile.TemporaryDirectory(dir=_MEMORY_DISK if _MEMORY_DISK.is_dir() else None) as workspace:
        while (left := seconds - int(time.monotonic() - started)) > 0 and len(total.crashes) < _MAX_CRASHES:
            before = set(found.iterdir())
            code = _run(name, left, Path(workspace), found)
            _add(total, found / "record.json")
            if code:
                new = [path.name for path in set(found.iterdir()) - before if not path.name.startswith("fault-")]
                total.crashes += sorted(set(new) - {"record.json", "log.txt"}) or [f"exit {code}: see log.txt"]
    print(total.line(name, time.monotonic() - started), flush=True)
    for outcome, n in total.outcomes.most_common(_SHOWN):
        print(f"    {n:>9,}  {outcome}")
    for crash in (*total.faults.values(), *total.crashes):
        print(f"    {found / crash}")
    return total


def _run(name: str, seconds: int, workspace: Path, found: Path) -> int:
    """One process; its exit code."""
    command = [sys.executable, "-m", "benchmarks.fuzzing.engine", name, str(seconds), str(workspace), str(found)]
    with open(found / "log.txt", "wb") as log:
        environment = os.environ | {"PYTHONFAULTHANDLER": "1"}
        done = subprocess.run(
            command, stdout=log, stderr=log, env=environment, timeout=seconds + _ROOM_S * 5, check=False
        )
    return done.returncode


def _add(total: Total, record: Path) -> None:
    if not record.is_file():
        return
    said = json.loads(record.read_text())
    total.tried += said["tried"]
    total.outcomes.update(dict(said["outcomes"]))
    total.faults |= said["faults"]
    record.unlink()


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
