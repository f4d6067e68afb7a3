"""The app shows the viewer's own pictures where the store was shared without any."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.routes import routes
from explorer.stores import IMAGES_VARIABLE, STORE_VARIABLE, current_store
from explorer.wording import plural
from tests.explorer.conftest import html_of, run_page
from tests.support.pictures import make_folder
from tests.support.stores import make_store


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_folder(tmp_path / "pictures", 12)
    monkeypatch.setenv(
        STORE_VARIABLE, str(make_store(tmp_path / "s", 12, n_latents=32, images=folder, thumbnails="none"))
    )
    return folder


def test_pictures_come_and_go_with_the_variable(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(Starlette(routes=routes()), base_url="http://localhost")
    assert "<img" not in html_of(run_page("inspect", image="3"))
    assert client.get(f"/thumb/{current_store().version}/3").status_code == 404
    monkeypatch.setenv(IMAGES_VARIABLE, str(bare))
    assert f'src="thumb/{current_store().version}/3"' in html_of(run_page("inspect", image="3"))
    answer = client.get(f"/thumb/{current_store().version}/3")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    (bare / current_store().image(4).source_key).unlink()
    gone = client.get(f"/thumb/{current_store().version}/4")
    assert (gone.status_code, gone.headers["cache-control"]) == (404, "no-store")


def test_a_path_without_pictures_is_said_with_the_way_out(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IMAGES_VARIABLE, str(bare / "nowhere"))
    html = html_of(run_page("home"))
    assert "SPARSIGHT_IMAGES: there is no folder and no file of pictures" in html
    assert "unset it" in html


def test_another_folder_is_said_on_the_first_page(bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Empty frames on every page would not say why; a copy that lacks a few pictures is no other folder."""
    said = f"Where SPARSIGHT_IMAGES points there is none of {plural(8, 'picture')} from all over this store"
    assert said not in html_of(run_page("home")), "no copy was named"
    monkeypatch.setenv(IMAGES_VARIABLE, str(bare))
    assert said not in html_of(run_page("home"))
    (bare / current_store().image(0).source_key).unlink()
    assert said not in html_of(run_page("home"))
    (others := tmp_path / "others").mkdir()
    monkeypatch.setenv(IMAGES_VARIABLE, str(others))
    html = html_of(run_page("home"))
    assert said in html and current_store().image(0).source_key in html
