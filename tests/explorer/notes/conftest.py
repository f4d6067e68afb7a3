"""A note book of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.notes import NoteBook

SAE = "a" * 64
N_LATENTS = 500


@pytest.fixture
def book(tmp_path: Path) -> NoteBook:
    return NoteBook(tmp_path / "demo.notes.sqlite", SAE, N_LATENTS)
