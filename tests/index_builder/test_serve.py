"""The container's entry point, with real processes for its steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index_builder import serve
from sae_core.references import REPOSITORY_ROOT

# Steps that write down how they were called; the pull makes what it was told to make.
PULL = "import sys, pathlib; a = sys.argv[1:]; print('pulling', *a, flush=True); {then}"
MAKE = "f = pathlib.Path(a[a.index('--out') + 1]); f.mkdir(); (f / 'manifest.json').write_text('here')"
CHECK = "import sys; print('checking', *sys.argv[1:], flush=True)"
APP = (
    "import os, sys; print('serving', os.environ['SPARSIGHT_STORE'], 'STORE' in os.environ, *sys.argv[1:], flush=True)"
)
WAIT = "import time; print('waiting', flush=True); time.sleep(60)"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('waiting', flush=True); time.sleep(60)"
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in serve.STORE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("SPARSIGHT_DATA", str(tmp_path / "data"))


def start(pull: str = MAKE, check: str = CHECK, app: str = APP, **environment: str) -> subprocess.Popen[str]:
    commands = {"pull": PULL.format(then=pull), "check": check, "app": app}
    steps = ", ".join(f"{name}=(sys.executable, '-c', {code!r})" for name, code in commands.items())
    program = (
        "import sys; from index_builder import serve; serve.SECONDS_TO_STOP = 1; "
        f"raise SystemExit(serve.main(['--port'], serve.Commands({steps})))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=REPOSITORY_ROOT,
        env=os.environ | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    out, error = process.communicate(timeout=60)
    return process.returncode, out.splitlines(), error


@pytest.mark.parametrize(
    ("said", "repo", "revision"),
    [
        ("hf://org/name", "org/name", None),
        ("hf://org/name@main", "org/name", "main"),
        ("hf://o.r-g/na_me@refs/pr/1", "o.r-g/na_me", "refs/pr/1"),
    ],
)
def test_reads_references(said: str, repo: str, revision: str | None) -> None:
    assert serve.parse(said) == serve.Reference(repo, revision)


@pytest.mark.parametrize(
    "said",
    [
        "hf://name",
        "hf:org/name",
        "hf://org/name@",
        "hf://org/../x",
        "hf://o/n@../x",
        "hf://o/n\n",
        "s3://org/name",
        "hf://-o/n",
    ],
)
def test_a_malformed_reference_is_named_with_the_form_it_should_have(said: str) -> None:
    code, out, error = ended(start(STORE=said))
    assert (code, out) == (2, [])
    assert said in error and "hf://ORG/NAME@REVISION" in error and "Traceback" not in error


def test_serves_a_folder_with_the_arguments_given(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").touch()
    code, out, _ = ended(start(SPARSIGHT_STORE=str(tmp_path)))
    assert (code, out) == (0, [f"checking {tmp_path}", f"serving {tmp_path} False --port"])


def test_store_wins_over_the_image_s_own_default(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").touch()
    assert ended(start(STORE=str(tmp_path), SPARSIGHT_STORE="/nowhere"))[0] == 0


def test_pulls_a_reference_before_it_serves(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "stores" / "org--name@v1"
    code, out, _ = ended(start(STORE="hf://org/name@v1"))
    assert code == 0
    assert out[0] == f"pulling org/name --revision v1 --replace --out {folder}"
    assert out[1:] == [f"checking {folder}", f"serving {folder} False --port"]


def test_a_pull_that_fails_ends_it_unless_a_copy_is_there(tmp_path: Path) -> None:
    code, out, error = ended(start(pull="sys.exit(2)", STORE="hf://org/name"))
    assert code == 2 and len(out) == 1 and "hf://org/name could not be pulled" in error
    assert ended(start(STORE="hf://org/name"))[0] == 0
    code, out, error = ended(start(pull="sys.exit(1)", STORE="hf://org/name"))
    assert code == 0 and out[-1].startswith("serving") and "serving the copy" in error


def test_a_data_folder_that_is_not_there_is_named() -> None:
    code, _, error = ended(start(STORE="hf://org/name", SPARSIGHT_DATA="/nowhere"))
    assert code == 2 and "/nowhere cannot be written" in error and "mount a volume" in error


def test_a_missing_or_empty_store_is_said_in_one_line(tmp_path: Path) -> None:
    for store, said in ((tmp_path / "none", "there is no store at"), (tmp_path / "data", "is empty")):
        code, out, error = ended(start(SPARSIGHT_STORE=str(store)))
        assert (code, out) == (2, []) and error.count("\n") == 1
        assert said in error and str(store) in error and "-v FOLDER:/store:ro" in error


def test_an_incomplete_store_is_not_served(tmp_path: Path, demo_store: Path) -> None:
    for name in ("manifest.json", "images.parquet"):
        (tmp_path / name).symlink_to(demo_store / name)
    command = [sys.executable, "-m", "index_builder.opening", str(tmp_path)]
    said = subprocess.run(command, cwd=REPOSITORY_ROOT, text=True, capture_output=True, check=False)
    assert said.returncode == 2 and said.stdout == "" and said.stderr.count("\n") == 1
    assert "postings/offsets.npy is missing" in said.stderr
    command = [sys.executable, "-m", "index_builder.opening", str(demo_store)]
    assert subprocess.run(command, cwd=REPOSITORY_ROOT, check=False).returncode == 0
    code, out, _ = ended(start(check="raise SystemExit(2)", SPARSIGHT_STORE=str(tmp_path)))
    assert (code, out) == (2, [])


@pytest.mark.parametrize("step", ["pull", "check", "app"])
def test_a_stop_reaches_the_step_that_runs(step: str) -> None:
    then = f"exec({WAIT!r})" if step == "pull" else WAIT
    process = start(**{step: then}, STORE="hf://org/name")  # type: ignore[arg-type]
    _stop_when_waiting(process)
    code, out, _ = ended(process)
    assert code == 0 and not any(line.startswith("serving") for line in out)


def test_a_step_that_does_not_listen_is_killed_in_time(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").touch()
    process = start(app=DEAF, STORE=str(tmp_path))
    began = time.monotonic()
    _stop_when_waiting(process)
    assert ended(process)[0] == 0
    assert time.monotonic() - began < 60, "it waited for the step's own end"


def test_the_app_s_own_failure_is_the_container_s(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").touch()
    assert ended(start(app="raise SystemExit(7)", STORE=str(tmp_path)))[0] == 7


def _stop_when_waiting(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    while process.stdout.readline() != "waiting\n":
        assert process.poll() is None, "it ended before it waited"
    process.send_signal(signal.SIGTERM)
