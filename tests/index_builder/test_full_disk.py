"""A disk that is full while a store is built: one sentence, nothing half-written, and the build goes on."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index_builder.arrays import new_array
from index_builder.cli import main
from index_builder.decode import Reject
from index_builder.shards import Shard, ShardWriter
from sae_core.references import REPOSITORY_ROOT
from tests.support.stores import make_store


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, small, that `resized` makes larger."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def resized(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def bytes_of(store: Path) -> dict[Path, bytes]:
    return {path.relative_to(store): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def test_room_is_taken_before_anything_is_written(disk: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        new_array(disk / "large.npy", np.dtype("<f4"), (1_000_000,))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(disk / "large.npy"))
    (disk / "large.npy").unlink()
    array = new_array(disk / "small.npy", np.dtype("<f4"), (1000,))
    array[:] = 7
    assert np.load(disk / "small.npy").tolist() == [7] * 1000


def test_a_build_says_so_and_goes_on_when_there_is_room(disk: Path, tmp_path: Path) -> None:
    whole = make_store(tmp_path / "whole", n_images=60, n_latents=64, k=4)
    inputs = tmp_path / "whole.inputs"
    command = [sys.executable, "-m", "index_builder", "build", "--images", inputs / "pictures.tar"]
    command += ["--encoder", f"local-dir:{inputs / 'clip'}", "--sae", inputs / "sae", "--out", disk / "store"]
    command += ["--name", "Test pictures", "--device", "cpu", "--workers", "0", "--batch-size", "8"]
    command += ["--shard-size", "16"]
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    for room in (size // 2, size):  # among the arrays, among the last files
        resized(disk, str(room))
        done = subprocess.run(list(map(str, command)), cwd=REPOSITORY_ROOT, capture_output=True, text=True, check=False)
        last = done.stderr.strip().splitlines()[-1]
        assert (done.returncode, last.startswith("error: ")) == (1, True), done.stderr
        assert "space" in last
        assert not (disk / "store").exists()
    resized(disk, "64m")
    done = subprocess.run(list(map(str, command)), cwd=REPOSITORY_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert bytes_of(disk / "store") == bytes_of(whole)
    assert sorted(path.name for path in disk.iterdir()) == ["store"]


def test_a_shard_that_finds_no_room_takes_none(disk: Path) -> None:
    writer = ShardWriter(disk / "000000.arrow", d_embed=4, k=2)
    writer.add_rejects([(slot, Reject("x.png", "decode", "broken", "x" * 1000)) for slot in range(200)])
    with pytest.raises(OSError, match="No space left"):
        writer.commit()
    assert list(disk.iterdir()) == []
    resized(disk, "1m")
    writer.commit()
    assert len(Shard(disk / "000000.arrow").rejects) == 200


def test_a_copy_that_finds_no_room_names_the_full_disk(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make_store(tmp_path / "old", n_images=60)
    resized(disk, "8k")
    assert main(["recode", str(old), "--thumbnails", "none", "--out", str(disk / "new")]) == 1
    assert f"error: No space left on device: {disk}/new.building/store/" in capsys.readouterr().err
