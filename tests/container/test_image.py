"""The image, built and run: `make container-test`. Each container is as hard as compose.yaml asks for."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants
from websockets.sync.client import connect

from container.build import TOOLS
from container.run import Running, image_config, running
from index_builder.commands import PushCommand
from index_builder.hub.push import push
from sae_core.store.checks import read_manifest
from tests.support.stores import make_store
from tests.support.writable_hub import Hub, serve

DATA = Path(os.environ.get("SPARSIGHT_CONTAINER", "."))
IMAGE = "sparsight"
SECONDS_TO_STOP = 10  # what compose.yaml and Docker wait before they kill
PROBE = """
import json, os, pathlib, shutil
def can_write(folder):
    try:
        pathlib.Path(folder, "probe").write_text("x")
    except OSError:
        return False
    return True
places = ("/", "/app", "/app/assets", "/opt/venv", "/store", "/tmp", "/data")
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
left = [str(path) for folder in ("/opt/venv", "/usr/lib/python3", "/usr/local", "/usr/share")
        for name in ("pip", "setuptools", "wheel", "ensurepip") for path in pathlib.Path(folder).rglob(name)]
print(json.dumps({
    "user": os.getuid(), "capabilities": status["CapEff"].strip() + status["CapBnd"].strip(),
    "no_new_privileges": status["NoNewPrivs"].strip(),
    "writable": [place for place in places if can_write(place)],
    "tools": [tool for tool in ("pip", "gcc", "cc", "make", "git", "curl") if shutil.which(tool)],
    "left": left, "caches": [str(path) for path in pathlib.Path("/var/lib/apt/lists").iterdir()],
}))
"""

pytestmark = [
    pytest.mark.skipif(
        "SPARSIGHT_CONTAINER" not in os.environ, reason="`make container-test` builds the image and runs this"
    ),
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"takes {', '.join(TOOLS)}"),
]


@pytest.fixture
def writable(tmp_path: Path) -> Path:
    """What a volume is: a folder that belongs to the image's user."""
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 10001, 10001)
    return folder


@pytest.fixture
def app(demo_store: Path, writable: Path) -> Iterator[Running]:
    mounts, environment = {"/store": demo_store}, {"SPARSIGHT_API_UPLOADS": "1"}
    with running(DATA, IMAGE, mounts=mounts, writable=writable, environment=environment) as container:
        container.wait_until_it_answers()
        yield container


def test_it_serves_searches_and_encodes_and_stops_while_somebody_looks(app: Running) -> None:
    assert _json(f"{app.address}/api/store")["n_images"] == 4554
    assert _json(f"{app.address}/api/search?text=a+red+car&count=3")["latents"]
    picture = (Path(__file__).parents[2] / "docs" / "images" / "latent.png").read_bytes()
    assert _json(urllib.request.Request(f"{app.address}/api/encode", picture, {"Content-Type": "image/png"}))
    stream = app.address.replace("http", "ws") + "/_stcore/stream"
    with connect(stream, origin=app.address, subprotocols=["streamlit"]):  # type: ignore[arg-type, list-item]
        assert app.stop(SECONDS_TO_STOP) == 0
    assert not app.answers()


def test_it_can_be_stopped_before_it_is_ready(demo_store: Path, writable: Path) -> None:
    with running(DATA, IMAGE, mounts={"/store": demo_store}, writable=writable) as container:
        assert container.process.stdout is not None
        assert "Emoji and clip art, 4,554 images" in container.process.stdout.readline()
        assert container.stop(SECONDS_TO_STOP) == 0


def test_it_has_no_rights_and_nothing_to_build_with(demo_store: Path, writable: Path) -> None:
    probe = ["python", "-c", PROBE]
    with running(DATA, IMAGE, mounts={"/store": demo_store}, writable=writable, command=probe) as container:
        found = json.loads(container.process.communicate(timeout=60)[0])
    assert found["user"] == 10001 and set(found["capabilities"]) == {"0"} and found["no_new_privileges"] == "1"
    assert found["writable"] == ["/tmp", "/data"]
    assert (found["tools"], found["left"], found["caches"]) == ([], [], [])


def test_a_store_that_is_not_there_is_said_in_one_line(tmp_path: Path, writable: Path) -> None:
    with running(DATA, IMAGE, mounts={"/store": tmp_path / "data"}, writable=writable) as container:
        out = container.process.communicate(timeout=60)[0]
    assert container.process.returncode == 2
    assert out.count("\n") == 1 and "/store is empty" in out


def test_a_store_can_be_baked_in(writable: Path) -> None:
    with running(DATA, f"{IMAGE}-baked", mounts={}, writable=writable) as container:
        container.wait_until_it_answers()
        assert _json(f"{container.address}/api/store")["n_images"] == 4554
    assert not container.answers(), "it was not stopped, and is no more"


def test_a_store_is_pulled_from_the_hub_with_progress_and_again_without_the_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, writable: Path
) -> None:
    environment = {"STORE": "hf://org/a-store@main", "HF_HUB_DISABLE_XET": "1"}
    with serve(Hub()) as hub:
        environment |= {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": hub.token}
        template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", hub.token)
        push(PushCommand(make_store(tmp_path / "store", n_images=60, n_latents=48, k=4), "org/a-store"))
        first = _log_of_a_run(writable, environment)
    again = _log_of_a_run(writable, environment)  # the hub is gone
    assert "fetching org/a-store@main" in first and "100%" in first
    assert "error: the hub cannot be reached" in again and "serving the copy in /data/stores/org--a-store@main" in again


def _log_of_a_run(writable: Path, environment: dict[str, str]) -> str:
    with running(DATA, IMAGE, mounts={}, writable=writable, environment=environment) as container:
        container.wait_until_it_answers()
        assert _json(f"{container.address}/api/store")["n_images"] == 60
        container.stop(SECONDS_TO_STOP)
        assert container.process.stdout is not None
        return container.process.stdout.read()


def test_it_builds_a_store(writable: Path) -> None:
    pictures = Path(__file__).parents[2] / "assets" / "demo" / "pictures.tar"
    images = ["--images", "/pictures/pictures.tar", "--limit", "200"]
    build = [
        "python",
        "-m",
        "index_builder",
        "build",
        *images,
        "--encoder",
        "demo",
        "--sae",
        "demo",
        "--out",
        "/data/made",
    ]
    with running(DATA, IMAGE, mounts={"/pictures": pictures.parent}, writable=writable, command=build) as container:
        out = container.process.communicate(timeout=240)[0]
    assert container.process.returncode == 0, out
    assert read_manifest(writable / "made").n_images == 200


def test_what_the_image_says_of_itself() -> None:
    config = image_config(DATA, IMAGE)
    assert config["User"] == "10001:10001" and config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"][0] == "python", "no shell in between, which would keep the signal"
    assert "/_stcore/health" in config["Healthcheck"]["Test"][-1]
    assert set(config["Volumes"]) == {"/data"}


def test_its_own_health_check_tells_a_dead_app(writable: Path) -> None:
    check = image_config(DATA, IMAGE)["Healthcheck"]["Test"][1:]
    with running(DATA, IMAGE, mounts={}, writable=writable, command=check) as container:
        container.process.communicate(timeout=60)
    assert container.process.returncode == 1


def _json(asked: str | urllib.request.Request) -> dict[str, int]:
    with urllib.request.urlopen(asked, timeout=60) as answer:
        said: dict[str, int] = json.load(answer)
    return said
