"""Loading from a hub, cold, in a process of its own, with the real huggingface_hub and open_clip clients."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sae_core.hub_calls import one_line_of_retries
from sae_core.references import REPOSITORY_ROOT
from sae_core.sae.checkpoint import load_sae, sae_fingerprint, save_sae
from tests.support.hub import serve_hub
from tests.support.models import make_tiny_clip, random_sae
from tests.support.pictures import make_folder


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """The files of a hub: the reference SAE's repository, a tiny CLIP, and an encoder without weights."""
    root = tmp_path / "hub"
    save_sae(random_sae(), root / "patrikwolf" / "clip-topk-sae")
    make_tiny_clip(root / "org" / "tiny-clip")
    make_tiny_clip(root / "org" / "no-weights")
    (root / "org" / "no-weights" / "open_clip_model.safetensors").unlink()
    (root / "org" / "no-sae").mkdir()
    return root


def python(code: str, endpoint: str, cache: Path) -> subprocess.CompletedProcess[str]:
    quiet = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0"}
    environment = os.environ | quiet | {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache)}
    script = f"import logging; logging.disable(); from sae_core import ClipEncoder, load_sae\n{code}"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_reference_sae_loads_by_its_id_and_by_its_preset(hub: Path, tmp_path: Path) -> None:
    code = """
from sae_core.sae.checkpoint import sae_fingerprint
for reference in ("patrikwolf/clip-topk-sae", "imagenet-vitb16"):
    print(sae_fingerprint(load_sae(reference)))
"""
    with serve_hub(hub) as endpoint:
        done = python(code, endpoint, tmp_path / "cache")
    assert done.stdout.split() == [sae_fingerprint(random_sae())] * 2, done.stderr
    again = python(code, "http://127.0.0.1:9", tmp_path / "cache")  # nobody listens: the cache is enough
    assert again.stdout == done.stdout


def test_a_folder_of_saelens_loads_from_the_hub(hub: Path, tmp_path: Path) -> None:
    fixture = REPOSITORY_ROOT / "tests" / "fixtures" / "saes" / "saelens-topk"
    shutil.copytree(fixture, hub / "org" / "many-saes" / "layer" / "final")
    code = """
from sae_core.sae.checkpoint import sae_fingerprint
print(sae_fingerprint(load_sae("hf://org/many-saes/layer/final")))
"""
    with serve_hub(hub) as endpoint:
        done = python(code, endpoint, tmp_path / "cache")
    assert done.stdout.strip() == sae_fingerprint(load_sae(fixture)), done.stderr
    again = python(f"import time; time.sleep = None\n{code}", "http://127.0.0.1:9", tmp_path / "cache")
    assert again.stdout == done.stdout, f"it waited for a hub: {again.stderr}"


def test_an_encoder_loads_from_the_hub(hub: Path, tmp_path: Path) -> None:
    with serve_hub(hub) as endpoint:
        done = python(
            "print(ClipEncoder.load('hf-hub:org/tiny-clip').fingerprint)\n"
            f"print(ClipEncoder.load('local-dir:{hub}/org/tiny-clip').fingerprint)",
            endpoint,
            tmp_path / "cache",
        )
    first, second = done.stdout.split()
    assert first == second


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("load_sae('org/nothing-here')", "the hub has no SAE at org/nothing-here"),
        ("load_sae('org/no-sae')", "the hub has no SAE at org/no-sae"),
        ("load_sae('patrikwolf/clip-topk-sae')", "is gated: accept its terms"),
        ("ClipEncoder.load('hf-hub:org/no-weights')", "the encoder hf-hub:org/no-weights cannot be loaded"),
        ("ClipEncoder.load('hf-hub:org/nothing')", "the encoder hf-hub:org/nothing cannot be loaded"),
    ],
)
def test_what_is_not_there_is_one_sentence(hub: Path, tmp_path: Path, call: str, said: str) -> None:
    code = f"""
from sae_core.errors import SparsightError
try:
    {call}
except SparsightError as error:
    print(error)
"""
    with serve_hub(hub, gated=frozenset({"patrikwolf/clip-topk-sae"})) as endpoint:
        done = python(code, endpoint, tmp_path / "cache")
    assert said in done.stdout, done.stderr
    assert done.stdout.count("\n") == 1


def test_a_hub_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    code = """
import time
from sae_core.errors import CheckpointError
waits = []
time.sleep = waits.append
try:
    load_sae("patrikwolf/clip-topk-sae")
except CheckpointError as error:
    print(error)
print(sum(waits))
"""
    done = python(code, "http://127.0.0.1:9", tmp_path / "cache")
    said, waited = done.stdout.splitlines()
    assert "the hub cannot be reached" in said, done.stderr
    assert 0 < float(waited) < 30, "the client's retries, once"


@pytest.mark.parametrize("failing", [True, False])
@pytest.mark.parametrize(
    "command",
    [
        "pull org/store --out {out}",
        "build --images {folder} --encoder demo --sae org/sae --out {out}",
        "build --images hf://org/pictures --encoder demo --sae demo --out {out}",
        "build --images {folder} --encoder hf-hub:org/clip --sae demo --out {out}",
    ],
)
def test_a_hub_that_fails_is_told_once_and_then_what_to_do(tmp_path: Path, command: str, failing: bool) -> None:
    """The client tries for a while, and has a line or two for every try."""
    folder = make_folder(tmp_path / "pictures", 2)
    said = command.format(out=tmp_path / "out", folder=folder)
    code = f"""
import logging, sys, time
logging.disable(logging.NOTSET)
time.sleep = lambda _: None
from index_builder.cli import main
sys.exit(main({said.split()!r}))
"""
    with serve_hub(tmp_path / "hub", failing=True) as endpoint:
        done = python(code, endpoint if failing else "http://127.0.0.1:9", tmp_path / "cache")
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert lines[-1].startswith("error: ")
    assert set(lines[:-1]) <= {"the hub does not answer; trying again for a while"}, done.stderr
    assert len(lines) <= 2


def test_outside_of_our_calls_the_client_speaks_as_it_does(caplog: pytest.LogCaptureFixture) -> None:
    client = logging.getLogger("huggingface_hub.utils._http")
    with caplog.at_level(logging.INFO), one_line_of_retries():
        for _ in range(3):
            client.warning("Retrying in 1s [Retry 1/5].")
        client.warning("Rate limited. Waiting 300.0s before retry [Retry 1/5].")
    assert caplog.messages == [
        "the hub does not answer; trying again for a while",
        "Rate limited. Waiting 300.0s before retry [Retry 1/5].",
    ]
    client.warning("Retrying in 1s [Retry 1/5].")
    assert caplog.messages[-1] == "Retrying in 1s [Retry 1/5]."
