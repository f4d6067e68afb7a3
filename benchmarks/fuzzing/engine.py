"""One run of the fuzzer on one target, in a process of its own: `python -m benchmarks.fuzzing.engine TARGET …`.

The engine is atheris (libFuzzer for Python). Exceptions are counted and the run goes on, so that one run finds
many; a crash of the process, a hang or memory out of bounds end it, and libFuzzer leaves the input behind.
"""

from __future__ import annotations

import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import atheris

from benchmarks.fuzzing.target import CORPUS, DOORS, Target

TIMEOUT_S = 20  # an input that takes longer is a fault; a loaded machine needs room
MEMORY_MB = 2_500  # of the whole process
_REPORT_EVERY_S = 2.0
_KEPT_OUTCOMES = 200


class Record:
    """What a run has seen so far, kept on disk: the process may end at any input."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._written = folder, 0.0
        self.tried = 0
        self.outcomes: Counter[str] = Counter()
        self.faults: dict[str, str] = {}  # what and where -> file of the first such input

    def saw(self, outcome: str) -> None:
        """One more input."""
        self.tried += 1
        if outcome in self.outcomes or len(self.outcomes) < _KEPT_OUTCOMES:
            self.outcomes[outcome] += 1
        if time.monotonic() - self._written > _REPORT_EVERY_S:
            self.write()

    def found(self, data: bytes, error: Exception) -> None:
        """Keeps the first input of each fault."""
        where = signature(error)
        if where not in self.faults:
            path = self._folder / f"fault-{sha256(where.encode()).hexdigest()[:10]}"
            path.write_bytes(data)
            said = "".join(traceback.format_exception(error))
            path.with_suffix(".txt").write_text(said, encoding="utf-8", errors="backslashreplace")
            self.faults[where] = path.name
        self.saw(f"FAULT {where}")

    def write(self) -> None:
        """To `record.json`."""
        self._written = time.monotonic()
        said = {"tried": self.tried, "outcomes": self.outcomes.most_common(), "faults": self.faults}
        (self._folder / "record.json").write_text(json.dumps(said, indent=1))


def signature(error: BaseException) -> str:
    """What went wrong, and the innermost line: two inputs with the same one are the same fault."""
    frames = traceback.extract_tb(error.__traceback__)
    last = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {last}"


def main(name: str, seconds: int, workspace: Path, found: Path) -> None:
    """Fuzzes for some seconds, beginning with the corpus; what is found lies in `found`."""
    with atheris.instrument_imports(include=list(DOORS[name].instrumented), enable_loader_override=False):
        target = DOORS[name].open(workspace)
    record = Record(found)
    grown = workspace / "grown"  # inputs that reached something new
    grown.mkdir(exist_ok=True)
    for seed, data in target.seeds().items():
        (grown / seed).write_bytes(data)
    folders = [grown, *([CORPUS / name] if (CORPUS / name).is_dir() else [])]
    limits = [f"-max_total_time={seconds}", f"-timeout={TIMEOUT_S}", f"-rss_limit_mb={MEMORY_MB}"]
    options = [*limits, f"-max_len={target.max_bytes}", f"-artifact_prefix={found}/", "-verbosity=0"]
    arguments = [sys.argv[0], *options, *map(str, folders)]
    atheris.Setup(arguments, _one_input(target, record), custom_mutator=_mutator(target))
    atheris.Fuzz()


def _one_input(target: Target, record: Record) -> Callable[[bytes], None]:
    def one_input(data: bytes) -> None:
        try:
            record.saw(target.run(data))
        except Exception as error:
            record.found(data, error)

    return one_input


def _mutator(target: Target) -> Callable[[bytes, int, int], bytes]:
    """Half of the changes know the format."""

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        if seed % 2:
            changed = target.mutate(data, random.Random(seed))
            if changed != data and len(changed) <= max_size:
                return changed
        return bytes(atheris.Mutate(data, max_size))

    return mutate


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
