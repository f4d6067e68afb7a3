"""Several processes that encode side by side end in the one process's bytes, also where one of them is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index_builder import engines, processes
from index_builder.build import build
from index_builder.config import BuildConfig
from index_builder.makers import Job
from index_builder.processes import encode_in_processes
from sae_core.errors import BuildError, SparsightError
from sae_core.references import REPOSITORY_ROOT
from sae_core.sae.checkpoint import save_sae
from tests.support.models import make_tiny_clip, random_sae
from tests.support.pictures import make_folder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("processes")
    make_tiny_clip(root / "clip")
    save_sae(random_sae(), root / "sae")
    make_folder(root / "pictures", 90, {4: b"no picture", 50: b""})
    build(config(root, root / "one"))
    return root


@pytest.fixture(autouse=True)
def plain_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spawned processes run `__main__` again; Streamlit's AppTest leaves a script of its own there."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


def config(root: Path, out: Path, **changes: object) -> BuildConfig:
    wanted = {"device": "cpu", "workers": 0, "batch_size": 8, "shard_size": 10, "name": "pictures"} | changes
    where = ((str(root / "pictures"),), f"local-dir:{root / 'clip'}", str(root / "sae"), out)
    return BuildConfig(*where, **wanted)  # type: ignore[arg-type]


def contents(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def children() -> set[int]:
    """Processes that this one has started, and that still run."""
    listed = Path("/proc").glob("[0-9]*/stat")
    mine = set()
    for path in listed:
        try:
            after_name = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(after_name[1]) == os.getpid() and after_name[0] != "Z":
            mine.add(int(path.parent.name))
    return mine


def test_the_bytes_are_those_of_one_process(inputs: Path, tmp_path: Path) -> None:
    said = build(config(inputs, tmp_path / "two", encoders=2))
    assert (said.n_images, said.n_rejected) == (88, 2)
    assert contents(tmp_path / "two") == contents(inputs / "one")


def test_progress_is_told_of_every_picture_and_reject(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []

    def listening(job: Job, shards: list[int], n: int, progress: Callable[[int, int], None]) -> None:
        encode_in_processes(job, shards, n, lambda *more: (told.append(more), progress(*more))[1])

    monkeypatch.setattr(engines, "encode_in_processes", listening)
    build(config(inputs, tmp_path / "two", encoders=2))
    assert [sum(column) for column in zip(*told, strict=True)] == [90, 2]


def test_a_stopped_build_keeps_what_its_processes_have_made(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, small = tmp_path / "two", {"encoders": 2, "shard_size": 1, "batch_size": 1}

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(engines, "encode_in_processes", lambda *given: encode_in_processes(*given[:3], progress=stop))
        with pytest.raises(KeyboardInterrupt):
            build(config(inputs, out, **small))
    made = len(list(out.with_name("two.building").glob("shards/*.arrow")))
    assert 0 < made < 90, "they end the shards that they have begun, and begin no other"
    build(config(inputs, out, **small))
    build(config(inputs, tmp_path / "one", shard_size=1, batch_size=1))
    assert contents(out) == contents(tmp_path / "one")


def test_a_killed_process_is_said_and_the_build_goes_on(inputs: Path, tmp_path: Path) -> None:
    before, out = children(), tmp_path / "two"

    def kill_one() -> None:
        shards = out.with_name("two.building") / "shards"
        until = time.monotonic() + 120
        while not list(shards.glob("*.arrow")) and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(max(children() - before), signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    with pytest.raises(BuildError, match="a process that encodes was killed"):
        build(config(inputs, out, encoders=2, shard_size=2, batch_size=1))
    killer.join()
    build(config(inputs, out, encoders=2, shard_size=2, batch_size=1))
    build(config(inputs, tmp_path / "one", shard_size=2, batch_size=1))
    assert contents(out) == contents(tmp_path / "one")


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C, as at a terminal: tests that are run in the background ignore it, and so would what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_while_processes_start_is_one_sentence(inputs: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "index_builder", "build", "--images", str(inputs / "pictures"), "--encoders", "2"]
    models = ["--encoder", f"local-dir:{inputs / 'clip'}", "--sae", str(inputs / "sae"), "--device", "cpu"]
    with subprocess.Popen(
        [*command, *models, "--out", str(tmp_path / "two")],
        cwd=REPOSITORY_ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # what Ctrl-C reaches is the whole group
    ) as build_process:
        until = time.monotonic() + 120
        while len(spawned(build_process.pid)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(build_process.pid, signal.SIGINT)
        said = build_process.communicate(timeout=120)[1]
    assert build_process.returncode == 1
    assert "stopped; run the same command again to resume" in said and "Traceback" not in said


@pytest.mark.usefixtures("heard")
def test_ctrl_c_in_the_moment_when_processes_are_started_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), processes._deaf():
        os.kill(os.getpid(), signal.SIGINT)
    with processes._deaf():
        status = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    (blocked,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigBlk"))
    assert blocked >> (signal.SIGINT - 1) & 1, "those that are started do not hear it"


def spawned(parent: int) -> list[int]:
    """Processes that multiprocessing has spawned there."""
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in listed if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_what_goes_wrong_in_a_process_is_said_here(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = inputs / "clip"

    def without_the_model(*args: object) -> None:
        clip.rename(inputs / "moved")
        try:
            encode_in_processes(*args)  # type: ignore[arg-type]
        finally:
            (inputs / "moved").rename(clip)

    monkeypatch.setattr(engines, "encode_in_processes", without_the_model)
    with pytest.raises(SparsightError, match=r"names no encoder|holds no open_clip_config"):
        build(config(inputs, tmp_path / "two", encoders=2))


def test_none_at_all_and_two_kinds_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="--encoders must be at least 1"):
        config(tmp_path, tmp_path / "out", encoders=0)
    with pytest.raises(BuildError, match="each GPU has one worker"):
        config(tmp_path, tmp_path / "out", encoders=2, engine="ray")
