"""How OpenMP's threads wait, in processes of their own: a library reads it when it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sae_core.openmp import POLICY_VARIABLE
from sae_core.references import REPOSITORY_ROOT

_APP = "import app"
_BUILDER = "import sys; from index_builder.cli import main; main(['info', 'nowhere']); import torch"


def _asks(program: str, **said: str) -> list[int]:
    """How often waiting threads ask before they sleep, of each GNU OpenMP that the program loads."""
    environment = {key: value for key, value in os.environ.items() if key != POLICY_VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY_ROOT,
        env={**environment, "OMP_DISPLAY_ENV": "verbose", **said},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [int(line.split("'")[1]) for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere OpenMP may be another, which says it otherwise")
@pytest.mark.parametrize("program", [_APP, _BUILDER])
def test_threads_that_wait_sleep(program: str) -> None:
    """Awake they took the turns that others needed: a picture's encoding took 19 times as long on busy cores."""
    found = _asks(program)
    assert found, "PyTorch's, and FAISS's where it is loaded"
    assert max(found) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere OpenMP may be another, which says it otherwise")
def test_who_says_how_threads_wait_is_obeyed() -> None:
    assert min(_asks(_APP, OMP_WAIT_POLICY="active")) > 0
