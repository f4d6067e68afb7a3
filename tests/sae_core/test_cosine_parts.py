"""A cosine split over latents: by hand, against torch's decoder, and adding up whatever comes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.cosine_parts import CosineParts, MeanCode, activations_of, cosine_parts, mean_code
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import TopKSAE


def code(embedding: list[float], latents: list[int], activations: list[float]) -> MeanCode:
    return mean_code(np.array([embedding]), np.array([latents]), np.array([activations]))


def total(parts: CosineParts) -> float:
    return parts.latent_parts.sum() + parts.bias + parts.residual


def test_worked_out_by_hand() -> None:
    """Rows are the axes, bias (0, 0, 1/10); x = (3, 4, 0)/5 of which latent 0 holds 1/2, y = (0, 1, 0)."""
    x, y = code([0.6, 0.8, 0.0], [0, 1], [0.5, 0.8]), code([0.0, 1.0, 0.0], [1, 2], [1.0, -0.1])
    found = cosine_parts(x, y, np.eye(3), np.array([0, 0, 0.1]))
    assert found.latents.tolist() == [0, 1, 2]
    # latent 0: (0.5 * 0 + 0 * 0.6) / 2; latent 1: (0.8 * 1 + 1 * 0.8) / 2; latent 2: (0 * 0 + -0.1 * 0) / 2
    assert found.latent_parts == pytest.approx([0.0, 0.8, 0.0])
    assert found.bias == 0
    assert found.residual == pytest.approx(0.0)
    assert found.cosine == pytest.approx(0.8)
    # The bias counts where it points at the pictures: (0.2 * 0.8 + 0.2 * 1) / 2, and the residuals give it back.
    found = cosine_parts(x, y, np.eye(3), np.array([0, 0.2, 0]))
    assert found.bias == pytest.approx(0.18)
    assert found.residual == pytest.approx(-0.18)


def test_a_picture_with_itself() -> None:
    rng = np.random.default_rng(0)
    x = mean_code(rng.normal(size=(1, 8)), np.array([[3, 1]]), np.array([[0.4, -0.2]]))
    found = cosine_parts(x, x, rng.normal(size=(5, 8)), rng.normal(size=8))
    assert found.cosine == pytest.approx(1, abs=1e-12)
    assert total(found) == pytest.approx(1, abs=1e-10)


def test_means_of_sets() -> None:
    """A latent that one of two pictures has counts half."""
    found = mean_code(np.array([[1.0, 0], [0, 1]]), np.array([[5, 2], [2, 7]]), np.array([[0.4, 0.2], [0.6, 0.1]]))
    assert found.embedding.tolist() == [0.5, 0.5]
    assert found.latents.tolist() == [2, 5, 7]
    assert found.activations == pytest.approx([0.4, 0.2, 0.05])
    assert activations_of(found, np.array([0, 5, 9])) == pytest.approx([0, 0.2, 0])


def test_opposite_pictures_have_no_mean_to_compare() -> None:
    none = mean_code(np.array([[1.0, 0], [-1, 0]]), np.array([[0], [1]]), np.array([[1.0], [1.0]]))
    found = cosine_parts(none, none, np.eye(2), np.zeros(2))
    assert found.cosine == 0
    assert total(found) == 0


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 5), k=st.integers(1, 6), dtype=st.sampled_from(["f4", "f8"]))
def test_parts_add_up_and_do_not_depend_on_the_order(seed: int, n: int, k: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    rows, bias = rng.normal(size=(20, 12)).astype(dtype), rng.normal(size=12).astype(dtype)
    sides = []
    for size in (n, 3):
        embeddings = rng.normal(size=(size, 12)).astype(dtype)
        kept = np.stack([rng.choice(20, k, replace=False) for _ in range(size)])
        sides.append((embeddings, kept, rng.normal(size=(size, k)).astype(dtype)))
    found = cosine_parts(mean_code(*sides[0]), mean_code(*sides[1]), rows, bias)
    means = [np.mean(side[0], axis=0, dtype="f8") for side in sides]
    wanted = means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1])
    assert found.cosine == pytest.approx(wanted, abs=1e-12)
    assert total(found) == pytest.approx(wanted, abs=1e-10)
    other = cosine_parts(mean_code(*sides[1]), mean_code(*sides[0]), rows, bias)
    assert other.latents.tolist() == found.latents.tolist()
    assert other.latent_parts == pytest.approx(found.latent_parts, abs=1e-12)
    assert (other.bias, other.residual) == pytest.approx((found.bias, found.residual), abs=1e-12)


def test_residual_is_what_the_sae_leaves() -> None:
    """The oracle: torch's own encoder and decoder in float32, dense codes, a loop over latents."""
    torch.manual_seed(0)
    sae = TopKSAE(SAEConfig(d_embed=16, n_latents=40, k=5)).eval()
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.copy_(torch.randn_like(parameter) / 4)
    x = torch.nn.functional.normalize(torch.randn(7, 16), dim=1)
    with torch.inference_mode():
        codes = sae.encode(x)
        rebuilt = sae.decode(codes).numpy()
        rows = torch.nn.functional.normalize(sae.W_dec, dim=1).numpy()
        bias = sae.b_dec.numpy()
    parts = (x.numpy(), codes.indices.numpy(), codes.activations.numpy())
    left, right = slice(0, 4), slice(4, 7)
    found = cosine_parts(*(mean_code(*(array[side] for array in parts)) for side in (left, right)), rows, bias)

    dense = np.zeros((7, 40), dtype=np.float32)
    np.put_along_axis(dense, parts[1], parts[2], axis=1)
    means = [x.numpy()[side].mean(0) for side in (left, right)]
    scale = np.linalg.norm(means[0]) * np.linalg.norm(means[1])
    residuals = [(x.numpy() - rebuilt)[side].mean(0) for side in (left, right)]
    assert found.residual == pytest.approx((residuals[0] @ means[1] + residuals[1] @ means[0]) / 2 / scale, abs=1e-5)
    assert found.bias == pytest.approx(bias @ (means[0] + means[1]) / 2 / scale, abs=1e-5)
    for latent, part in zip(found.latents, found.latent_parts, strict=True):
        a, c = (dense[side, latent].mean() for side in (left, right))
        assert part == pytest.approx((a * rows[latent] @ means[1] + c * rows[latent] @ means[0]) / 2 / scale, abs=1e-5)
    assert total(found) == pytest.approx(means[0] @ means[1] / scale, abs=1e-5)
