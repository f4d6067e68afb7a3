"""SAEs of other makers: the activations and reconstructions of their own libraries, and refusals.

The checkpoints and what their libraries make of them were written by tests/fixtures/saes/make.py.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sae_core import load_sae
from sae_core.errors import CheckpointError
from sae_core.sae.checkpoint import sae_fingerprint, save_sae
from sae_core.sae.topk import SparseCodes, TopKSAE

FIXTURES = Path(__file__).parent.parent / "fixtures" / "saes"
CASES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir() and not path.name.startswith("__"))
N, K = 40, 5
Change = Callable[[dict[str, Any]], None]


def load(case: str, k: int | None = None) -> TopKSAE:
    folder = FIXTURES / case
    if case.startswith("saelens"):
        return load_sae(folder, k=k)
    return load_sae(folder / "sae.pt", k=k or (N if case.endswith("jump") else K))


def dense(codes: SparseCodes) -> torch.Tensor:
    return torch.zeros(len(codes.indices), N).scatter_add(1, codes.indices, codes.activations)


def test_there_is_a_case_of_every_kind() -> None:
    assert len(CASES) == 12


@pytest.mark.parametrize("case", CASES)
def test_codes_and_reconstructions_are_the_library_s(case: str) -> None:
    expected = load_file(FIXTURES / case / "expected.safetensors")
    sae = load(case)
    codes = sae.encode(expected["x"])
    active = expected["activations"] > 0
    assert 1 < active.sum(1).float().mean() < N  # neither nothing nor everything
    assert torch.equal(dense(codes) > 0, active)
    torch.testing.assert_close(dense(codes), expected["activations"], atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(sae.decode(codes), expected["rebuilt"], atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_what_was_read_is_saved_and_read_again(case: str, tmp_path: Path) -> None:
    sae = load(case)
    again = load_sae(save_sae(sae, tmp_path / "sae"))
    assert again.config == sae.config
    assert sae_fingerprint(again) == sae_fingerprint(sae)


def test_of_many_that_pass_their_thresholds_the_strongest_are_kept() -> None:
    expected = load_file(FIXTURES / "saelens-standard" / "expected.safetensors")
    codes = load("saelens-standard", k=3).encode(expected["x"])
    assert codes.indices.shape == (16, 3)
    strongest = expected["activations"].topk(3, dim=1)
    torch.testing.assert_close(codes.activations, strongest.values)
    assert torch.equal(codes.indices, strongest.indices)
    assert load("saelens-standard").config.k == N  # at most 64, and there are 40


def test_places_that_stay_empty_hold_nothing(tmp_path: Path) -> None:
    sae = load("saelens-jumprelu", k=N)
    codes = sae.encode(load_file(FIXTURES / "saelens-jumprelu" / "expected.safetensors")["x"])
    passed = codes.activations > 0
    assert (codes.activations[~passed] == 0).all()
    assert (codes.activations[passed] > sae.threshold[codes.indices[passed]]).all()
    assert (passed.int().diff(dim=1) <= 0).all()  # empty places come last


def edited(tmp_path: Path, case: str, change: Change) -> Path:
    folder = shutil.copytree(FIXTURES / case, tmp_path / case)
    raw = json.loads((folder / "cfg.json").read_text())
    change(raw)
    (folder / "cfg.json").write_text(json.dumps(raw))
    return folder


@pytest.mark.parametrize(
    ("case", "change", "said"),
    [
        ("standard", lambda raw: raw["metadata"].update(hook_name="blocks.11.hook_resid_post"), "no pooled embedding"),
        ("standard", lambda raw: raw.update(metadata={}, hook_name="layers.3"), "'layers.3', which is no pooled"),
        ("standard", lambda raw: raw.update(reshape_activations="hook_z"), "attention heads"),
        ("standard", lambda raw: raw.update(architecture="gated"), "'gated'; we read standard, jumprelu, topk"),
        ("standard", lambda raw: raw.update(activation_fn_str="tanh-relu"), "'tanh-relu'"),
        ("standard", lambda raw: raw.update(normalize_activations="layer_norm"), "'layer_norm'.*not folded"),
        ("standard", lambda raw: raw.update(normalize_activations="expected_average_only_in"), "not folded"),
        ("standard", lambda raw: raw.update(architecture="jumprelu"), "lacks threshold"),
        ("topk", lambda raw: raw.pop("k"), "must say k"),
        ("topk", lambda raw: raw.pop("architecture"), "k = 5, which .*'standard' has not: .* says 'topk'"),
        ("topk", lambda raw: raw.update(d_in=13), "says d_in 13, the weights have 12"),
        ("standard", lambda raw: raw.update(d_sae="40"), "says d_sae '40', the weights have 40"),
        ("topk", lambda raw: raw.update(k=True), "must say k"),
        ("topk", lambda raw: raw.update(k=41), "k = 41 is more than"),
    ],
)
def test_what_saelens_cannot_be_is_one_sentence(tmp_path: Path, case: str, change: Change, said: str) -> None:
    with pytest.raises(CheckpointError, match=said) as caught:
        load_sae(edited(tmp_path, f"saelens-{case}", change))
    assert "\n" not in str(caught.value)


def test_a_hook_point_that_is_not_said_is_taken_at_its_word(tmp_path: Path) -> None:
    folder = edited(tmp_path, "saelens-topk", lambda raw: raw["metadata"].pop("hook_name"))
    assert sae_fingerprint(load_sae(folder)) == sae_fingerprint(load("saelens-topk"))


def test_top_k_of_before_version_4_is_read(tmp_path: Path) -> None:
    def older(raw: dict[str, Any]) -> None:
        raw.update(architecture="standard", activation_fn_str="topk", activation_fn_kwargs={"k": raw.pop("k")})

    assert sae_fingerprint(load_sae(edited(tmp_path, "saelens-topk", older))) == sae_fingerprint(load("saelens-topk"))


def test_another_k_than_the_checkpoint_s_is_refused() -> None:
    for reference in (FIXTURES / "saelens-topk", "demo"):
        with pytest.raises(CheckpointError, match=r"keeps k = .* leave it out"):
            load_sae(reference, k=3)


def test_what_overcomplete_does_not_say_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not say its top_k: give it with --k"):
        load_sae(FIXTURES / "overcomplete-topk" / "sae.pt")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state["dictionary._weights"].mul_(2), "rows of norm 2.00 to 2.00"),
        (lambda state: state.update({"encoder.mlp_blocks.0.0.weight": torch.ones(1)}), "several layers"),
        (lambda state: state.update({"W": torch.ones(1)}), "has W, which no SAE"),
        (lambda state: state.update({"encoder.final_block.1.weight": torch.ones(N)}), "cannot be folded"),
        (lambda state: state.pop("dictionary.multiplier"), "lacks dictionary.multiplier"),
        (lambda state: state.pop("encoder.final_block.0.bias"), "lacks encoder.final_block.0.bias"),
    ],
)
def test_what_overcomplete_cannot_be_is_one_sentence(tmp_path: Path, change: Change, said: str) -> None:
    state = torch.load(FIXTURES / "overcomplete-topk" / "sae.pt", weights_only=True)
    change(state)
    torch.save(state, tmp_path / "sae.pt")
    with pytest.raises(CheckpointError, match=said):
        load_sae(tmp_path / "sae.pt", k=K)


def test_a_whole_module_is_never_unpickled(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "sae.pt")
    with pytest.raises(CheckpointError, match="of a whole module, save the state dict"):
        load_sae(tmp_path / "sae.pt")


# MSAE is no package: its formulas (arXiv 2502.20578 and the authors' loader) are written down again here, in NumPy.


def msae_file(folder: Path, activation: str, *, tied: bool = False, tail: str = "False_0.0_cc3m", **state: Any) -> Path:
    rng = np.random.default_rng(0)
    sizes = {"encoder": (12, N), "decoder": (N, 12), "latent_bias": (N,), "pre_bias": (12,)}
    model = {name: torch.from_numpy(rng.normal(0, 0.5, size).astype(np.float32)) for name, size in sizes.items()}
    model["latents_activation_frequency"] = torch.zeros(N, dtype=torch.int64)
    if activation == "JumpReLU":
        model["activation.log_threshold"] = torch.from_numpy(rng.normal(-1, 0.5, N).astype(np.float32))
    if tied:
        del model["decoder"]
    path = folder / f"{N}_12_{activation}_{tied}_{tail}_ViT-B~16_train_image_100_12.pth"
    whole = {"mean_center": torch.linspace(-0.1, 0.1, 12), "scaling_factor": 1.7, "target_norm": None}
    torch.save({"model": model, **whole, **state}, path)
    return path


def msae_by_hand(path: Path, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    raw = torch.load(path, weights_only=True)
    state = {name: value.numpy().astype(np.float64) for name, value in raw["model"].items()}
    mean, scale = raw["mean_center"].numpy().astype(np.float64), raw["scaling_factor"]
    z = ((x - mean) * scale - state["pre_bias"]) @ state["encoder"] + state["latent_bias"]
    words = path.name.split("_")
    if "TopK" in words[2]:
        order = np.argsort(-z, axis=1)[:, int(words[3]) :]
        np.put_along_axis(z, order, 0, axis=1)
    if "ReLU" in words[2]:
        z = np.maximum(z, 0)
    if words[2] == "JumpReLU":
        z = np.where(z > np.exp(state["activation.log_threshold"]), z, 0)
    decoder = state.get("decoder", state["encoder"].T)
    return z, (z @ decoder + state["pre_bias"]) / scale + mean


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("activation", ["TopKReLU_6_UW", "TopK_6", "ReLU_003", "JumpReLU"])
def test_msae_is_what_its_formulas_say(tmp_path: Path, activation: str, tied: bool) -> None:
    path = msae_file(tmp_path, activation, tied=tied)
    x = load_file(FIXTURES / "saelens-topk" / "expected.safetensors")["x"]
    z, rebuilt = msae_by_hand(path, x.numpy().astype(np.float64))
    sae = load_sae(path, k=None if "TopK" in activation else N)
    codes = sae.encode(x)
    np.testing.assert_allclose(dense(codes).numpy(), z, atol=2e-5)
    np.testing.assert_allclose(sae.decode(codes).numpy(), rebuilt, atol=2e-5)


@pytest.mark.parametrize(
    ("activation", "tail", "said"),
    [
        ("TopKabs_6", "False_0.0_x", "activation TopKabs; of MSAE's we read"),
        ("BatchTopK_6", "False_0.0_x", "activation BatchTopK"),
        ("TopKReLU_6", "True_0.0_x", "normalises each input"),
        ("TopKReLU_6", "False_30.0_x", "caps its activations softly"),
        ("TopKReLU_six", "False_0.0_x", "whose name must say"),
        ("TopKReLU_6", "False_soft_x", "whose name must say"),
    ],
)
def test_what_msae_cannot_be_is_one_sentence(tmp_path: Path, activation: str, tail: str, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        load_sae(msae_file(tmp_path, activation, tail=tail))


def test_parts_of_msae_that_are_no_numbers_are_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="scaling_factor is no number"):
        load_sae(msae_file(tmp_path, "TopKReLU_6", scaling_factor="much"))


def test_tensors_that_do_not_fit_are_said(tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / "saelens-topk", tmp_path / "sae")
    state = load_file(folder / "sae_weights.safetensors")
    state["W_dec"] = state["W_dec"][:-1].contiguous()
    save_file(state, folder / "sae_weights.safetensors")
    with pytest.raises(CheckpointError):
        load_sae(folder)
