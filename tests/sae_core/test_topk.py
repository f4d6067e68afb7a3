"""The SAE's maths against an independent NumPy oracle, by hand, and its promises: no state, one big tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from sae_core.errors import CheckpointError, MismatchError
from sae_core.sae import topk
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import SparseCodes, TopKSAE
from tests.support.models import random_sae


def oracle(sae: TopKSAE, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dense codes `[n, n_latents]` and reconstructions in float64, written from the paper's equation alone."""
    weights = {name: value.double().numpy() for name, value in sae.state_dict().items()}
    pre = x.astype(np.float64) @ weights["W_enc"] + weights["b_enc"]
    z = np.zeros_like(pre)
    for row in range(len(pre)):
        kept = sorted(range(pre.shape[1]), key=lambda latent: -pre[row, latent])[: sae.config.k]
        z[row, kept] = pre[row, kept]
    rows = weights["W_dec"]
    if sae.config.normalize_decoder:
        rows = rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return z, z @ rows + weights.get("b_dec", np.zeros(x.shape[1]))


def dense(codes: SparseCodes, n_latents: int) -> np.ndarray:
    z = np.zeros((len(codes.indices), n_latents))
    np.put_along_axis(z, codes.indices.numpy(), codes.activations.double().numpy(), axis=1)
    return z


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shift", [0.0, -30.0])
def test_codes_and_reconstructions_equal_the_oracle(normalize: bool, bias: bool, shift: float) -> None:
    sae = random_sae(24, 80, 6, normalize_decoder=normalize, decoder_bias=bias)
    sae.b_enc += shift  # -30: every pre-activation is negative, and Top-K still keeps k of them
    x = np.random.default_rng(1).normal(size=(50, 24)).astype(np.float32)
    z, x_hat = oracle(sae, x)
    codes = sae.encode(torch.from_numpy(x))
    np.testing.assert_allclose(dense(codes, 80), z, atol=1e-4)
    np.testing.assert_allclose(sae.decode(codes).numpy(), x_hat, atol=1e-3)
    if shift < 0:
        assert (codes.activations < 0).all()


def test_arrays_are_as_good_as_tensors() -> None:
    sae = random_sae(24, 80, 6)
    x = np.random.default_rng(2).normal(size=(9, 24)).astype(np.float32)
    codes = sae.encode(torch.from_numpy(x))
    x.flags.writeable = False  # as a mapped file is
    for array in (x, x.astype(np.float64)):
        assert all(torch.equal(a, b) for a, b in zip(sae.encode(array), codes, strict=True))
    arrays = SparseCodes(codes.indices.int().numpy(), codes.activations.numpy())  # type: ignore[arg-type]
    assert torch.equal(sae.decode(arrays), sae.decode(codes))


@pytest.mark.parametrize(
    ("shape", "said"), [((24,), r"alone is x\[None\]; these are \[24\]"), ((3, 23), r"are \[3, 23\]")]
)
def test_embeddings_of_another_shape_are_refused_in_a_sentence(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(MismatchError, match=said):
        random_sae(24, 80, 6).encode(np.zeros(shape, dtype=np.float32))


def test_a_code_worked_out_by_hand() -> None:
    sae = TopKSAE(SAEConfig(d_embed=2, n_latents=3, k=2))
    sae.W_enc.copy_(torch.tensor([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]))
    sae.b_enc.copy_(torch.tensor([0.0, 0.5, 0.25]))
    sae.W_dec.copy_(torch.tensor([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]]))  # unit rows: e1, e2, (e1 + e2) / sqrt 2
    assert sae.b_dec is not None
    sae.b_dec.copy_(torch.tensor([0.1, 0.0]))
    codes = sae.encode(torch.tensor([[1.0, 2.0]]))  # pre-activations 1, 2.5, -0.75
    assert codes.indices.tolist() == [[1, 0]]
    assert codes.activations.tolist() == [[2.5, 1.0]]
    torch.testing.assert_close(sae.decode(codes), torch.tensor([[1.1, 2.5]]))


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 20), n=st.integers(0, 9), scale=st.sampled_from([1e-3, 1.0, 50.0]))
def test_codes_are_the_k_largest_strongest_first(seed: int, k: int, n: int, scale: float) -> None:
    sae = random_sae(8, 20, k, seed=seed)
    x = torch.randn(n, 8, generator=torch.Generator().manual_seed(seed)) * scale
    codes = sae.encode(x)
    assert codes.indices.shape == codes.activations.shape == (n, k)
    assert (codes.activations.diff(dim=1) <= 0).all()
    assert all(len(set(row)) == k for row in codes.indices.tolist())
    left_out = sae.pre_activations(x).scatter(1, codes.indices, -torch.inf)
    assert k == 20 or n == 0 or (left_out.amax(1) <= codes.activations[:, -1]).all()


def test_equal_activations_come_in_order_of_latents() -> None:
    sae = TopKSAE(SAEConfig(d_embed=2, n_latents=6, k=6))
    sae.b_enc.copy_(torch.tensor([1.0, 2.0, 1.0, 2.0, 1.0, 1.0]))
    assert sae.encode(torch.zeros(1, 2)).indices.tolist() == [[1, 3, 0, 2, 4, 5]]


def test_encoding_changes_nothing_and_repeats_itself() -> None:
    sae = random_sae().train()  # even a careless .train() has no dropout to switch on
    before = {name: value.clone() for name, value in sae.state_dict().items()}
    x = torch.randn(32, 32)
    first, second = sae.encode(x), sae.encode(x)
    assert torch.equal(first.indices, second.indices)
    assert torch.equal(first.activations, second.activations)
    assert all(torch.equal(value, before[name]) for name, value in sae.state_dict().items())
    assert not list(sae.buffers())


class _BigTensors(TorchDispatchMode):
    """Counts the storages as large as `[batch, n_latents]` that operations create."""

    def __init__(self, numel: int) -> None:
        super().__init__()
        self.numel = numel
        self.storages: set[int] = set()
        self.kept: list[torch.Tensor] = []  # so that no address is used twice

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for value in out if isinstance(out, tuple | list) else [out]:
            if isinstance(value, torch.Tensor) and value.numel() >= self.numel:
                self.storages.add(value.untyped_storage().data_ptr())
                self.kept.append(value)
        return out


def test_encoding_materialises_one_dense_tensor() -> None:
    sae = random_sae(16, 512, 4)
    x = torch.randn(64, 16)
    with _BigTensors(64 * 512) as big:
        sae.encode(x)
    assert len(big.storages) == 1
    with _BigTensors(64 * 512) as big:  # the counter itself does see a second one
        torch.relu(sae.pre_activations(x))
    assert len(big.storages) == 2


@pytest.mark.parametrize("cells", [1, 512, 3 * 512, 63 * 512])
def test_memory_is_bounded_however_many_embeddings_there_are(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sae = random_sae(16, 512, 4)
    x = torch.randn(64, 16)
    whole = sae.encode(x)
    monkeypatch.setattr(topk, "_CELLS", cells)
    with _BigTensors(max(cells, 512) + 1) as big:
        codes = sae.encode(x)
    assert not big.storages
    assert torch.equal(codes.indices, whole.indices)
    torch.testing.assert_close(codes.activations, whole.activations)


def test_directions_are_unit_even_where_decoding_is_not_normalised() -> None:
    sae = random_sae(normalize_decoder=False)
    torch.testing.assert_close(sae.directions().norm(dim=1), torch.ones(64))
    torch.testing.assert_close(sae.decoder_rows(), sae.W_dec.data)


@pytest.mark.parametrize(("d", "n", "k"), [(4, 8, 9), (0, 8, 2), (4, 8, 0)])
def test_impossible_sizes_are_refused(d: int, n: int, k: int) -> None:
    with pytest.raises(CheckpointError):
        SAEConfig(d, n, k)
