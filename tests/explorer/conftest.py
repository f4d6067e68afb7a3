"""A small real store, and one whose every text is hostile."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer import models
from explorer.stores import STORE_VARIABLE
from index_builder.commands import RecodeCommand
from index_builder.recode import recode
from sae_core import LatentStore
from sae_core.sae.checkpoint import save_sae
from tests.support.hostile import make_hostile_store
from tests.support.stores import make_store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galleries of several pages, dead latents, labels."""
    return make_store(tmp_path_factory.mktemp("stores") / "small", n_images=180, n_latents=96, k=6)


@pytest.fixture(scope="session")
def halved(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small store with its own dictionary, but that all latents from the 40th on have strange directions."""
    folder = tmp_path_factory.mktemp("halved")
    sae = LatentStore.open(small_store).sae()
    state = dict(sae.state_dict())
    drawn = torch.randn(state["W_dec"][40:].shape, generator=torch.Generator().manual_seed(0))
    state["W_dec"][40:] = drawn / drawn.norm(dim=1, keepdim=True)
    state["W_enc"][:, 40:] = state["W_dec"][40:].T
    sae.load_state_dict(state)
    recode(RecodeCommand(small_store, folder / "halved", str(save_sae(sae, folder / "sae")), device="cpu"))
    return folder / "halved"


@pytest.fixture(scope="session")
def hostile_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hostile_store(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def store(small_store: Path) -> LatentStore:
    return LatentStore.open(small_store)


@pytest.fixture
def shown(small_store: Path, monkeypatch: pytest.MonkeyPatch) -> LatentStore:
    """The app shows the small store."""
    monkeypatch.setenv(STORE_VARIABLE, str(small_store))
    return LatentStore.open(small_store)


@pytest.fixture(autouse=True)
def encoders_are_tried_anew() -> None:
    """What one test's encoder refused is nothing to the next one's."""
    models._failed.clear()


def run_page(name: str, /, **params: str | list[str]) -> AppTest:
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
