"""Dockerfile, compose.yaml and .dockerignore, as far as they can be judged without building anything."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from container.build import BuildImage, base_name, build, hindrance
from sae_core.references import REPOSITORY_ROOT

DOCKERFILE = (REPOSITORY_ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY_ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
FINAL_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.baked"])
def test_hadolint_finds_nothing(name: str) -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    said = subprocess.run([hadolint, REPOSITORY_ROOT / name], text=True, capture_output=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_base_is_pinned() -> None:
    assert re.fullmatch(r"docker\.io/library/debian:\d+\.\d+-slim", base_name())
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(bases) == {"${BASE}", "python"}, "every stage stands on the pinned base"


def test_the_final_stage_installs_nothing_and_is_not_root() -> None:
    assert not re.search(r"\b(pip|apt-get|curl|gcc)\b", FINAL_STAGE)
    user = re.findall(r"^USER (\S+)", FINAL_STAGE, re.MULTILINE)
    assert user == ["10001:10001"], "by number, so that Kubernetes can tell that it is not root"


def test_one_faiss_only() -> None:
    substitute = re.search(r"s/\^faiss-gpu==/faiss-\$\{ACCELERATOR\}==/", DOCKERFILE)
    requirements = (REPOSITORY_ROOT / "requirements.txt").read_text()
    assert substitute and re.findall(r"^faiss.*==", requirements, re.MULTILINE) == ["faiss-gpu=="]


def test_everything_that_is_copied_is_let_through_and_nothing_else() -> None:
    ignore = (REPOSITORY_ROOT / ".dockerignore").read_text().splitlines()
    assert ignore[0] == "*"
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {name for line in copied for name in line.split()} == let_through
    assert all((REPOSITORY_ROOT / name).exists() for name in let_through)
    assert not any(fnmatch(name, "*secret*") or fnmatch(name, "*.env*") for name in let_through)


@pytest.mark.parametrize("name", ["app", "builder"])
def test_every_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [mount.split(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    assert "privileged" not in service and "cap_add" not in service


def test_the_app_is_watched_and_stops_in_time() -> None:
    app = SERVICES["app"]
    assert app["ports"] == ["127.0.0.1:${PORT:-8501}:8501"], "for this machine only; a proxy goes before it"
    assert "profiles" not in app
    assert app["stop_grace_period"] == "10s"
    assert app["healthcheck"]["test"][0] == "CMD" and "/_stcore/health" in app["healthcheck"]["test"][-1]
    assert [volume for volume in app["volumes"] if not volume.endswith(":ro")] == ["data:/data"]
    assert set(COMPOSE["volumes"]) == {"data"}


def test_compose_and_dockerfile_watch_alike() -> None:
    assert SERVICES["app"]["healthcheck"]["test"][-1] in DOCKERFILE


def test_the_builder_runs_once_and_only_when_asked() -> None:
    builder = SERVICES["builder"]
    assert builder["profiles"] == ["build"] and builder["restart"] == "no"
    assert builder["init"] is True, "as process 1 it would not hear a stop"
    assert builder["entrypoint"] == ["python", "-m", "index_builder"] and builder["command"][0] == "build"
    assert builder["volumes"][0].endswith(":/pictures:ro")


def test_a_disk_without_room_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda tool: tool)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    usage = SimpleNamespace(free=12_000_000_000)
    assert hindrance(tmp_path / "not" / "there") == f"{tmp_path} has 12 GB free, building takes 20"
    usage = SimpleNamespace(free=21_000_000_000)
    assert hindrance(tmp_path) == ""
    monkeypatch.setattr("shutil.which", lambda tool: None if tool == "crun" else tool)
    assert "not on this machine: crun (as root: apt-get install" in hindrance(tmp_path)
    with pytest.raises(SystemExit, match="crun"):
        build(BuildImage(data=tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_every_setting_is_documented_and_nothing_else() -> None:
    folders = [REPOSITORY_ROOT / name for name in ("explorer", "sae_core", "index_builder", "pages")]
    sources = [path.read_text() for folder in folders for path in folder.rglob("*.py")]
    known = {name for text in sources for name in re.findall(r"SPARSIGHT_[A-Z_]+", text)}
    page = (REPOSITORY_ROOT / "docs" / "deployment.md").read_text()
    rows = re.findall(r"^\| `(SPARSIGHT_\w+)` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(known)
    assert {name for name in SERVICES["app"]["environment"] if name.startswith("SPARSIGHT_")} <= known
