"""A CLIP score split over a sparse code: by hand, against torch's decoder, and adding up whatever comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sae_core.accounting import edited, fit, reconstruct, score_parts, store_scores
from sae_core.errors import SparsightError
from sae_core.sae.topk import SparseCodes
from sae_core.store.records import KeptCode
from tests.support.models import random_sae


def code(latents: list[int], activations: list[float]) -> KeptCode:
    return KeptCode(np.array(latents, dtype=np.int64), np.array(activations, dtype=np.float32))


def unit(rng: np.random.Generator, *shape: int) -> Any:
    vectors = rng.normal(size=shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_worked_out_by_hand() -> None:
    """Rows are the axes, bias (0, 0, 1/8); x = (3, 4, 0) / 5 of which the code holds 1/2 and -1/4."""
    x, kept = np.array([0.6, 0.8, 0.0]), code([0, 2], [0.5, -0.25])
    rows, bias = np.eye(3), np.array([0, 0, 0.125])
    found = score_parts(x, kept, np.array([[0.8, 0.0, 0.6], [0, 1, 0]]), rows, bias)
    assert found.latent_parts[0] == pytest.approx([0.4, -0.15])  # a kept latent that is not active counts too
    assert found.bias == pytest.approx([0.075, 0])
    assert found.residual == pytest.approx([0.155, 0.8])  # x - x_hat = (0.1, 0.8, 0.125)
    assert found.scores == pytest.approx([0.48, 0.8])
    assert found.rebuilt == pytest.approx([0.325, 0])

    rebuilt = reconstruct(kept, rows, bias)
    assert rebuilt == pytest.approx([0.5, 0, -0.125])
    found_fit = fit(x, rebuilt, np.array([0.6, 0, 0]))
    assert found_fit.fvu == pytest.approx((0.01 + 0.64 + 0.015625) / 0.64)
    assert found_fit.norm == pytest.approx(np.sqrt(0.25 + 0.015625))
    assert found_fit.cosine == pytest.approx(0.3 / np.sqrt(0.265625))


def test_an_edit_by_hand() -> None:
    """Latent 0 is removed, latent 1 is added: what the code does not hold stays."""
    found = edited(np.array([0.6, 0.8, 0.0]), code([0, 2], [0.5, -0.25]), {0: 0.0, 1: 0.2, 2: -0.25}, np.eye(3))
    assert found.norm == pytest.approx(np.sqrt(0.01 + 1.0))
    assert found.embedding == pytest.approx(np.array([0.1, 1.0, 0.0]) / found.norm)


@pytest.mark.parametrize("normalize_decoder", [True, False])
@pytest.mark.parametrize("decoder_bias", [True, False])
def test_it_is_what_the_sae_itself_decodes(normalize_decoder: bool, decoder_bias: bool) -> None:
    """Oracle: torch decodes all latents but one; what that takes from the score is the latent's part."""
    sae = random_sae(k=6, normalize_decoder=normalize_decoder, decoder_bias=decoder_bias)
    rng = np.random.default_rng(5)
    x, texts = unit(rng, 32).astype(np.float32), unit(rng, 3, 32).astype(np.float32)
    codes = sae.encode(torch.from_numpy(x)[None])
    kept = KeptCode(codes.indices[0].numpy(), codes.activations[0].numpy())
    bias = np.zeros(32, dtype=np.float32) if sae.b_dec is None else sae.b_dec.numpy()
    found = score_parts(x, kept, texts, sae.decoder_rows().numpy(), bias)
    whole = sae.decode(codes)[0]
    for at in range(6):
        without = codes.activations.clone()
        without[0, at] = 0
        part = torch.from_numpy(texts) @ (whole - sae.decode(SparseCodes(codes.indices, without))[0])
        assert found.latent_parts[:, at] == pytest.approx(part.numpy(), abs=1e-5)
    nothing = sae.decode(SparseCodes(codes.indices, torch.zeros_like(codes.activations)))[0].numpy()
    assert found.bias == pytest.approx(texts @ nothing, abs=1e-5)
    assert found.residual == pytest.approx(texts @ (x - whole.numpy()), abs=1e-5)
    assert found.latent_parts.sum(1) + found.bias + found.residual == pytest.approx(texts @ x, abs=1e-5)
    assert bool(np.any(bias)) == decoder_bias


_NUMBERS = st.floats(-4, 4, width=32)


@settings(max_examples=150)
@given(
    x=arrays.arrays(np.float64, 7, elements=_NUMBERS),
    texts=arrays.arrays(np.float64, (3, 7), elements=_NUMBERS),
    rows=arrays.arrays(np.float64, (9, 7), elements=_NUMBERS),
    bias=arrays.arrays(np.float64, 7, elements=_NUMBERS),
    activations=arrays.arrays(np.float32, 4, elements=_NUMBERS),
    latents=st.permutations(range(9)),
)
def test_it_adds_up(x: Any, texts: Any, rows: Any, bias: Any, activations: Any, latents: list[int]) -> None:
    kept = KeptCode(np.array(latents[:4]), activations)
    found = score_parts(x, kept, texts, rows, bias)
    assert found.latent_parts.sum(1) + found.bias + found.residual == pytest.approx(texts @ x, abs=1e-9)
    assert found.rebuilt == pytest.approx(texts @ reconstruct(kept, rows, bias), abs=1e-9)


@settings(max_examples=100)
@given(
    seed=st.integers(0, 10_000),
    changes=st.dictionaries(st.integers(0, 8), st.floats(-1, 1, width=32), max_size=9),
)
def test_an_edit_keeps_the_residual(seed: int, changes: dict[int, float]) -> None:
    """The edited embedding is the decoded edited code plus the same residual, made unit."""
    rng = np.random.default_rng(seed)
    x, rows, bias = unit(rng, 7), rng.normal(size=(9, 7)), rng.normal(size=7)
    kept = KeptCode(rng.permutation(9)[:4], rng.normal(size=4).astype(np.float32))
    found = edited(x, kept, changes, rows)
    dense = np.zeros(9)
    dense[kept.latents] = kept.activations
    residual = x - (dense @ rows + bias)
    for latent, value in changes.items():
        dense[latent] = value
    assert found.embedding * found.norm == pytest.approx(dense @ rows + bias + residual, abs=1e-9)
    assert np.linalg.norm(found.embedding) == pytest.approx(1)


def test_no_edit_is_the_picture_itself() -> None:
    x = unit(np.random.default_rng(1), 7)
    assert edited(x, code([1], [0.3]), {}, np.eye(7)).embedding == pytest.approx(x)


def test_an_edit_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(SparsightError, match="leaves nothing"):
        edited(np.array([1.0, 0]), code([0], [1.0]), {0: 0.0}, np.eye(2))


def test_a_picture_that_is_the_mean_has_no_fvu() -> None:
    found = fit(np.array([1.0, 0]), np.zeros(2), np.array([1.0, 0]))
    assert np.isnan(found.fvu)
    assert (found.cosine, found.norm) == (0, 0)


def test_answering_with_the_mean_leaves_all_variance() -> None:
    mean = np.array([0.3, 0.4])
    assert fit(np.array([1.0, 0]), mean, mean).fvu == pytest.approx(1)


def test_scores_of_a_store_from_its_sums() -> None:
    rng = np.random.default_rng(2)
    embeddings, texts = unit(rng, 40, 6), unit(rng, 3, 6)
    means, spreads = store_scores(texts, embeddings.mean(0), embeddings.T @ embeddings, 40)
    scores = embeddings @ texts.T
    assert means == pytest.approx(scores.mean(0))
    assert spreads == pytest.approx(scores.std(0))
