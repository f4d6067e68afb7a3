"""The encode stage on a Ray cluster of several nodes, some of whose workers are killed: the local engine's bytes."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index_builder import cluster as cluster_module
from index_builder import makers as makers_module
from index_builder.build import build
from index_builder.cluster import encode_on_cluster
from index_builder.config import BuildConfig
from index_builder.plan import Plan
from index_builder.sources import RawPicture
from index_builder.sources.folder import FolderSource
from index_builder.verify import defects_of
from index_builder.workdir import WorkDir
from sae_core import LatentStore
from sae_core.errors import BuildError
from sae_core.references import REPOSITORY_ROOT
from sae_core.sae.checkpoint import save_sae
from tests.support.models import make_tiny_clip, random_sae
from tests.support.pictures import make_folder

ray = pytest.importorskip("ray", reason="Ray is not installed")
SMALL_SHARD = 5  # pictures


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A head without cores and two nodes of one core, as processes of this machine."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    paths = {"PYTHONPATH": str(REPOSITORY_ROOT)}
    ray.init(address=cluster.address, log_to_driver=False, runtime_env={"env_vars": paths})
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cluster")
    make_tiny_clip(root / "clip")
    save_sae(random_sae(), root / "sae")
    make_folder(root / "pictures", 90, {4: b"no picture", 50: b""})
    build(config(root, root / "local" / "store"))
    return root


def config(root: Path, out: Path, **changes: object) -> BuildConfig:
    wanted = {
        "images": (str(root / "pictures"),),
        "encoder": f"local-dir:{root / 'clip'}",
        "sae": str(root / "sae"),
        "out": out,
        "device": "cpu",
        "workers": 0,
        "batch_size": 8,
        "shard_size": 10,
    }
    return BuildConfig(**(wanted | changes))  # type: ignore[arg-type]


def contents(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file()}


@dataclasses.dataclass(frozen=True)
class DeadlySource(FolderSource):
    """Kills the process that reads one of its pictures, the first time."""

    victims: tuple[int, ...] = ()
    marks: Path = Path()

    def read(self, position: int) -> RawPicture:
        mark = self.marks / f"{position}"
        if position in self.victims and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(position)


def test_the_store_of_a_cluster_is_the_local_one(nodes: Any, inputs: Path, tmp_path: Path) -> None:
    build(config(inputs, tmp_path / "store", engine="ray"))
    assert defects_of(tmp_path / "store") == []
    assert contents(tmp_path / "store") == contents(inputs / "local" / "store")


def test_killed_workers_change_no_byte(
    nodes: Any, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "marks").mkdir()
    scan = FolderSource.scan

    def deadly(root: Path) -> DeadlySource:
        found = scan(root)
        return DeadlySource(found.root, found.keys, found.paths, victims=(3, 88), marks=tmp_path / "marks")

    monkeypatch.setattr("index_builder.build.open_source", lambda images: deadly(Path(images)))
    # It reads pictures in this process, which must live.
    monkeypatch.setattr("index_builder.build.check_compatibility", lambda *_: None)
    build(config(inputs, tmp_path / "store", engine="ray"))
    assert sorted(path.name for path in (tmp_path / "marks").iterdir()) == ["3", "88"]
    assert contents(tmp_path / "store") == contents(inputs / "local" / "store")


@dataclasses.dataclass(frozen=True)
class PatientSource(FolderSource):
    """Notes which machine reads. Behind some shards, which Ray Data waits for to tell of the first, all others wait for
    the machine that joined late."""

    marks: Path = Path()
    at_first: tuple[str, ...] = ()  # the other machines
    until: float = 0.0  # when they give up

    def read(self, position: int) -> RawPicture:
        (self.marks / ray.get_runtime_context().get_node_id()).touch()
        while position >= 4 * SMALL_SHARD and time.time() < self.until and self._alone():
            time.sleep(0.2)
        return super().read(position)

    def _alone(self) -> bool:
        return {path.name for path in self.marks.iterdir()} <= set(self.at_first)


def test_a_machine_goes_for_good_another_joins_and_no_byte_changes(
    nodes: Any, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "marks").mkdir()
    lost = nodes.add_node(num_cpus=1)
    at_first = tuple(node["NodeID"] for node in ray.nodes() if node["Alive"])
    scan, encode = FolderSource.scan, cluster_module.encode_on_cluster
    late: list[Any] = []

    def patient(root: Path) -> PatientSource:
        found = scan(root)
        until = time.time() + 180
        return PatientSource(found.root, found.keys, found.paths, {}, "folder", tmp_path / "marks", at_first, until)

    def changing(*arguments: Any) -> None:
        *others, progress = arguments

        def counted(slots: int, rejects: int) -> None:
            if not late:
                nodes.remove_node(lost, allow_graceful=False)
                late.append(nodes.add_node(num_cpus=1))
            progress(slots, rejects)

        encode(*others, counted)

    monkeypatch.setattr("index_builder.build.open_source", lambda images: patient(Path(images)))
    monkeypatch.setattr("index_builder.build.check_compatibility", lambda *_: None)  # it reads in this process
    monkeypatch.setattr(cluster_module, "encode_on_cluster", changing)
    build(config(inputs, tmp_path / "store", engine="ray", shard_size=SMALL_SHARD))
    assert late[0].node_id in {path.name for path in (tmp_path / "marks").iterdir()}, "who joins late gets work"
    assert lost not in nodes.list_all_nodes()
    nodes.remove_node(late[0])
    build(config(inputs, tmp_path / "local" / "store", shard_size=SMALL_SHARD))
    assert contents(tmp_path / "store") == contents(tmp_path / "local" / "store")


def test_a_killed_driver_goes_on_with_either_engine(
    nodes: Any, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("index_builder.build.assemble", killed)
        with pytest.raises(KeyboardInterrupt):
            build(config(inputs, tmp_path / "store", engine="ray"))
    shards = sorted((tmp_path / "store.building" / "shards").iterdir())
    assert [shard.name for shard in shards] == [f"{n:06d}.arrow" for n in range(9)]
    shards[2].unlink()
    build(config(inputs, tmp_path / "store"))
    assert contents(tmp_path / "store") == contents(inputs / "local" / "store")


def test_reuse_reaches_the_workers(nodes: Any, inputs: Path, tmp_path: Path) -> None:
    build(config(inputs, tmp_path / "store", engine="ray", reuse=inputs / "local" / "store"))
    new, old = LatentStore.open(tmp_path / "store"), LatentStore.open(inputs / "local" / "store")
    assert new.n_images == old.n_images == 88
    assert (new.embeddings(range(88)) == old.embeddings(range(88))).all()


def test_a_cluster_that_gives_up_is_one_sentence(
    nodes: Any, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(makers_module, "sae_fingerprint", lambda _: "another")
    with pytest.raises(BuildError, match=r"the cluster gave up: .*loads another encoder or SAE") as caught:
        build(config(inputs, tmp_path / "store", engine="ray"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "store").exists()


def test_without_ray_the_way_out_is_named(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BuildError, match=r'pip install "ray\[data\]"'):
        build(config(inputs, tmp_path / "store", engine="ray"))


def test_shards_that_did_not_arrive_are_said(
    nodes: Any, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "is_complete", lambda _: False)  # as if the folder were another one here
    work = WorkDir(tmp_path / "store")
    asked = config(inputs, tmp_path / "store", engine="ray")
    source = FolderSource.scan(inputs / "pictures")
    from index_builder.build import load_models

    with work.locked(), pytest.raises(BuildError, match="do all machines see that folder"):
        encode_on_cluster(asked, source, Plan(90, 10, 8), work, load_models(asked), None, lambda *_: None)
