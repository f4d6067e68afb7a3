"""Tries the corpus again: seeds, and every input that once showed a fault."""

from __future__ import annotations

import faulthandler
import sys
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.fuzzing.target import CORPUS, DOORS


def replay(names: Sequence[str]) -> int:
    """Prints a line a target; 1 where an input shows a fault again. What crashes the process is named last."""
    faulthandler.enable()
    n_faults = 0
    for name in names:
        with tempfile.TemporaryDirectory() as workspace:
            target = DOORS[name].open(Path(workspace))
            inputs = [*target.seeds().items(), *_kept(CORPUS / name)]
            for said, data in inputs:
                print(f"{name}/{said}", end=" ", flush=True)
                try:
                    print(target.run(data), flush=True)
                except Exception:
                    n_faults += 1
                    traceback.print_exc(file=sys.stdout)
        print(f"{name}: {len(inputs)} inputs", flush=True)
    return 1 if n_faults else 0


def _kept(folder: Path) -> Iterable[tuple[str, bytes]]:
    return ((path.name, path.read_bytes()) for path in sorted(folder.glob("*")) if path.is_file())
