"""A store whose SAE has thresholds: codes of any length, what the store answers, and every page of it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.stores import STORE_VARIABLE
from index_builder.commands import RecodeCommand
from index_builder.recode import recode
from index_builder.verify import defects_of
from sae_core import LatentStore
from sae_core.sae.checkpoint import save_sae
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import TopKSAE
from tests.explorer.conftest import html_of, run_page

K = 12


@pytest.fixture(scope="module")
def gated_path(store: LatentStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small store's embeddings, and its SAE with a threshold for each latent; some pictures have more than K."""
    root = tmp_path_factory.mktemp("gated")
    old = store.sae()
    sae = TopKSAE(SAEConfig(old.config.d_embed, old.config.n_latents, K, activation="threshold"))
    z = old.pre_activations(torch.from_numpy(np.array(store.embeddings(range(store.n_images)))))
    thresholds = torch.quantile(z, 0.92, dim=0).clamp(min=0.02)
    sae.load_state_dict(old.state_dict() | {"threshold": thresholds})
    save_sae(sae, root / "sae")
    recode(RecodeCommand(store.path, root / "store", sae=str(root / "sae"), device="cpu"))
    return root / "store"


@pytest.fixture(scope="module")
def gated(gated_path: Path) -> LatentStore:
    return LatentStore.open(gated_path)


@pytest.fixture(scope="module")
def passed(gated: LatentStore) -> np.ndarray:
    """Every pre-activation that passes its threshold, [n_images, n_latents], in float64; 0 elsewhere."""
    sae = gated.sae()
    weights, bias, threshold = (value.numpy().astype(np.float64) for value in (sae.W_enc, sae.b_enc, sae.threshold))
    z = np.asarray(gated.embeddings(range(gated.n_images)), dtype=np.float64) @ weights + bias
    return np.where(z > threshold, z, 0)


def test_the_store_is_whole(gated_path: Path) -> None:
    assert defects_of(gated_path) == []


def test_codes_hold_what_passes_strongest_first(gated: LatentStore, passed: np.ndarray) -> None:
    lengths = (passed > 0).sum(1)
    assert lengths.min() < K < lengths.max()
    for image in range(gated.n_images):
        wanted = np.argsort(-passed[image], kind="stable")[: min(K, lengths[image])]
        code = gated.code(image)
        assert code.latents.tolist() == wanted.tolist()
        np.testing.assert_allclose(code.activations, passed[image][wanted], atol=1e-5)


def test_an_upload_gets_the_code_that_the_builder_gives(gated: LatentStore) -> None:
    for image in (0, 3, 77):
        mine = gated.encode(gated.embedding(image))
        there = mine.activations > 0
        assert mine.latents[there].tolist() == gated.code(image).latents.tolist()


def test_near_misses_are_below_what_they_had_to_exceed(gated: LatentStore) -> None:
    thresholds = gated.sae().threshold
    assert thresholds is not None
    seen = 0
    for latent in range(gated.n_latents):
        found = gated.near_misses(latent)
        active = set(gated.gallery(latent).image_ids.tolist())
        assert not active & set(found.image_ids.tolist())
        assert (found.pre_activations <= found.thresholds + 1e-6).all()
        assert (found.thresholds >= float(thresholds[latent]) - 1e-6).all()
        seen += len(found.image_ids)
    assert seen > 100


def test_the_bar_is_the_threshold_or_the_kth(gated: LatentStore, passed: np.ndarray) -> None:
    thresholds = gated.sae().threshold
    assert thresholds is not None
    few, many = int((passed > 0).sum(1).argmin()), int((passed > 0).sum(1).argmax())
    z = gated.pre_activations(gated.embedding(few))
    assert gated.bar(z, 7) == pytest.approx(float(thresholds[7]))
    z = gated.pre_activations(gated.embedding(many))
    assert gated.bar(z, 7) == pytest.approx(max(float(thresholds[7]), float(np.sort(passed[many])[-K])), abs=1e-5)


def test_of_even_density_is_the_mean_number_of_active_latents(gated: LatentStore, store: LatentStore) -> None:
    assert gated.has_thresholds
    assert not store.has_thresholds
    assert gated.even_density == gated.manifest.report.l0 / gated.n_latents
    assert store.even_density == store.k / store.n_latents


def test_a_code_that_is_cut_is_said_with_the_way_out(
    store: LatentStore, gated_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "sparsight")
    recode(RecodeCommand(store.path, tmp_path / "store", sae=str(gated_path.parent / "sae"), device="cpu"))
    assert "% of these pictures have more than 12 active latents" in caplog.text
    assert "--k keeps more" in caplog.text


@pytest.mark.parametrize(
    ("page", "params", "said"),
    [
        ("home", {}, "at most 12 of"),
        ("latents", {}, "k\u00a0≤\u00a012"),
        ("latent", {"latent": "BUSIEST"}, "density"),
        ("latent", {"latent": "7", "show": "near"}, "or its threshold"),
        ("inspect", {"image": "7"}, "at most 12"),
        ("inspect", {"image": "7", "where": "7"}, "threshold"),
        ("compare", {"a": "image:7", "b": "image:9"}, "cosine"),
        ("spans", {"of": "image:7", "n": "12"}, "span"),
        ("quality", {}, "at most: 12"),
        ("map", {}, "density"),
        ("pictures", {"all_of": "#7"}, "#7"),
    ],
)
def test_every_page_shows_it(
    gated_path: Path, gated: LatentStore, monkeypatch: pytest.MonkeyPatch, page: str, params: dict[str, str], said: str
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(gated_path))
    busiest = str(gated.latents["n_active"].idxmax())
    assert said in html_of(run_page(page, **{key: value.replace("BUSIEST", busiest) for key, value in params.items()}))
