"""What the README says can be done: its Python runs, its commands and flags exist, its links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from index_builder.commands import TrainCommand
from index_builder.config import BuildConfig
from sae_core.references import PRESETS, REPOSITORY_ROOT

PAGE = (REPOSITORY_ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if not kind for line in block.splitlines() if line.strip()]


def test_the_python_example_runs(demo_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY_ROOT)
    (example,) = [block for kind, block in BLOCKS if kind == "python"]
    names: dict[str, object] = {}
    exec(example, names)
    assert len(names["gallery"].image_ids) > 0  # type: ignore[attr-defined]
    assert len(names["code"].latents) > 0  # type: ignore[attr-defined]
    store, latents = names["store"], names["codes"].indices[0].tolist()  # type: ignore[attr-defined]
    assert names["code"].latents.tolist() == latents[: len(names["code"].latents)]  # type: ignore[attr-defined]
    assert 0.5 < names["cosines"].mean() < 1 and store.n_images > len(names["scores"])  # type: ignore[attr-defined,arg-type]


def test_a_script_elsewhere_finds_the_package_as_the_page_says(tmp_path: Path) -> None:
    assert "PYTHONPATH=~/sparsight ~/sparsight/.venv/bin/python" in PAGE
    script = tmp_path / "my_script.py"
    script.write_text("from sae_core import load_sae; print(load_sae('demo').config.k)")
    place = os.environ | {"PYTHONPATH": str(REPOSITORY_ROOT)}
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env=place, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0


def test_make_targets_exist() -> None:
    targets = re.findall(r"^(\w[\w-]*):", (REPOSITORY_ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = {shlex.split(line, comments=True)[1] for line in COMMANDS if line.startswith("make ")}
    assert named >= {"demo", "test"}
    assert named <= set(targets)


def test_builder_commands_have_the_flags_that_are_named() -> None:
    known = {"build": BuildConfig, "train-sae": TrainCommand}
    lines = [shlex.split(line) for line in COMMANDS if "-m index_builder" in line]
    assert len(lines) >= 3
    for line in lines:
        command = known[line[line.index("index_builder") + 1]]
        flags = {part[2:].replace("-", "_") for part in line if part.startswith("--")}
        assert flags <= {field.name for field in fields(command)}, line
    assert all(preset in PRESETS for preset in re.findall(r"--(?:encoder|sae) ([a-z][\w-]*)(?: |$)", PAGE))


def test_the_builder_is_run_by_the_python_that_setup_makes() -> None:
    assert "-m index_builder" in PAGE
    assert not re.search(r"(?<!\.venv/bin/)python -m index_builder", PAGE)


def test_links_and_pictures_lead_somewhere() -> None:
    for target in re.findall(r"\]\(((?!https?:)[^)#]+)\)", PAGE):
        assert (REPOSITORY_ROOT / target).exists(), target
