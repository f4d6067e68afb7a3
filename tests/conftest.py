"""Fixtures for all rooms."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from sae_core.references import REPOSITORY_ROOT

settings.register_profile("sparsight", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("sparsight")


@pytest.fixture(scope="session")
def demo_store() -> Path:
    """The store of `make demo`, made by the same command where it is not there yet."""
    subprocess.run(["make", "store"], cwd=REPOSITORY_ROOT, check=True, capture_output=True)
    return REPOSITORY_ROOT / "stores" / "demo"
