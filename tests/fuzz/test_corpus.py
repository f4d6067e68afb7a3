"""Every input that once showed a fault is tried again, beside good ones; in a process of its own, which it may end."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.fuzzing.target import CORPUS, DOORS
from sae_core.references import REPOSITORY_ROOT

_MOST_BYTES = 1_000_000


@pytest.mark.usefixtures("demo_store")  # the targets' small store has its thumbnails
def test_nothing_in_the_corpus_shows_a_fault() -> None:
    command = [sys.executable, "-m", "benchmarks.fuzz", "--replay"]
    done = subprocess.run(command, cwd=REPOSITORY_ROOT, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4_000:]
    for name in DOORS:
        assert f"\n{name}: " in done.stdout


def test_every_kept_input_belongs_to_a_target() -> None:
    kept = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert {path.parent for path in kept} <= {CORPUS / name for name in DOORS}
    assert sum(path.stat().st_size for path in kept) < _MOST_BYTES
