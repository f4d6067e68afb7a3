"""The store's disk fails under a running app: it is said, nothing ends, and it is well again when the disk is."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import stores
from explorer.routes import routes
from explorer.stores import STORE_VARIABLE, current_store
from sae_core import LatentStore
from tests.explorer.conftest import ROOT, html_of, run_page


@pytest.fixture
def mine(small_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is shown, looked at anew on every page."""
    path = Path(shutil.copytree(small_store, tmp_path / "store"))
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    monkeypatch.setattr(stores, "_LOOK_EVERY", 0.0)
    return path


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()), base_url="http://localhost")


@pytest.mark.parametrize("name", ["embeddings.npy", "thumbnails.bin", "postings/image_ids.npy", "latents.parquet"])
@pytest.mark.parametrize("fault", ["cut off", "gone"])
def test_a_file_that_is_cut_off_or_gone(mine: Path, client: TestClient, name: str, fault: str) -> None:
    assert "Striking latents" in html_of(run_page("home"))
    version, whole = current_store().version, (mine / name).read_bytes()
    if fault == "gone":
        (mine / name).unlink()
    else:
        os.truncate(mine / name, len(whole) // 2)
    for page in ("home", "latents", "inspect"):
        html = html_of(run_page(page))
        assert "There is no store to show" in html
        assert f"{name} is missing" in html or f"{name} has " in html
    assert client.get("/api/store").status_code == 503
    assert client.get(f"/thumb/{version}/3").status_code == 404
    assert client.get("/export/latents.csv").status_code == 503
    (mine / "new").write_bytes(whole)
    (mine / "new").rename(mine / name)  # another file of that name, as a backup brings it
    assert "Striking latents" in html_of(run_page("home"))
    assert client.get(f"/thumb/{version}/3").status_code == 200
    assert client.get("/api/images/3/nearest").status_code == 200


def test_an_app_outlives_the_file_it_has_mapped(mine: Path) -> None:
    """In a process of its own: without the look at the sizes it ends by SIGBUS here."""
    code = f"""
import os
from explorer import stores
from explorer.views.inspection import build_inspection, store_source
from sae_core.errors import StoreError
stores._LOOK_EVERY = 0
store = stores.current_store()
os.truncate({str(mine / "embeddings.npy")!r}, 500)
try:
    store = stores.current_store()
    build_inspection(store, store_source(store, store.n_images - 1))
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert "embeddings.npy has 500 bytes" in done.stdout


def test_a_disk_that_cannot_be_read(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), "latents.parquet")

    monkeypatch.setattr(LatentStore, "gallery", unreadable)
    html = html_of(run_page("latent", latent="3"))
    assert f"The store at {mine} cannot be read: Input/output error." in html
    assert "name another store in SPARSIGHT_STORE" in html
    monkeypatch.undo()
    monkeypatch.setenv(STORE_VARIABLE, str(mine))
    assert "cannot be read" not in html_of(run_page("latent", latent="3"))


def test_thumbnails_of_a_disk_that_cannot_be_read(
    mine: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = current_store().version

    def unreadable(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", unreadable)
    answer = client.get(f"/thumb/{version}/3")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    monkeypatch.undo()
    monkeypatch.setenv(STORE_VARIABLE, str(mine))
    assert client.get(f"/thumb/{version}/3").status_code == 200
