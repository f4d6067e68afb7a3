"""A small real store, and one whose every text is hostile."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.stores import STORE_VARIABLE
from sae_core import LatentStore
from tests.support.pictures import encoded, picture
from tests.support.stores import make_store

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "\"><img src=x onerror=alert(1)><script>alert(2)</script>' style='position:fixed"


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galleries of several pages, dead latents, labels."""
    return make_store(tmp_path_factory.mktemp("stores") / "small", n_images=180, n_latents=96, k=6)


@pytest.fixture(scope="session")
def hostile_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels, captions, names and the store's own name try to leave their attribute or element."""
    root = tmp_path_factory.mktemp("hostile")
    with tarfile.open(root / "pictures.tar", "w") as tar:
        for number in range(40):
            facts = {"label": f"{HOSTILE} {number % 2}", "caption": f"{HOSTILE} {number}"}
            for extension, data in (("png", encoded(picture(number)[1])), ("json", json.dumps(facts).encode())):
                info = tarfile.TarInfo(f"{number:05d}.{extension}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return make_store(root / "store", n_latents=48, k=4, name=HOSTILE, images=root / "pictures.tar")


@pytest.fixture(scope="session")
def store(small_store: Path) -> LatentStore:
    return LatentStore.open(small_store)


@pytest.fixture
def shown(small_store: Path, monkeypatch: pytest.MonkeyPatch) -> LatentStore:
    """The app shows the small store."""
    monkeypatch.setenv(STORE_VARIABLE, str(small_store))
    return LatentStore.open(small_store)


def run_page(name: str, /, **params: str) -> AppTest:
    """The frame with one page, as a deep link opens it."""
    app = AppTest.from_file(str(ROOT / "explorer" / "main.py"), default_timeout=60)
    if name != "home":
        app.switch_page(f"../pages/{name}.py")
    for key, value in params.items():
        app.query_params[key] = value
    return app.run()


def html_of(app: AppTest) -> str:
    """Everything that was drawn as HTML, the style sheet left out."""
    assert not app.exception, app.exception
    return "\n".join(element.value for element in app.get("html") if "<style" not in element.value)
