"""Every format that is read, and one sentence for everything that is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from sae_core import load_sae
from sae_core.errors import CheckpointError
from sae_core.sae.checkpoint import sae_fingerprint, save_sae
from sae_core.sae.topk import TopKSAE
from tests.support.models import random_sae


def same(a: TopKSAE, b: TopKSAE) -> bool:
    mine, other = a.state_dict(), b.state_dict()
    return a.config == b.config and mine.keys() == other.keys() and all(torch.equal(mine[n], other[n]) for n in mine)


def authors_pt(sae: TopKSAE, path: Path, **config: object) -> Path:
    """A checkpoint as upstream's training writes it, counters and optimiser state included."""
    state = dict(sae.state_dict())
    state |= {"feature_counts": torch.ones(sae.config.n_latents), "total_samples": torch.tensor(7)}
    settings = {"feature_dim": 32, "expansion_factor": 2, "k": 4, "lr": 1e-3, "normalize_decoder": True, **config}
    torch.save({"config": settings, "model_state_dict": state, "epoch": 100, "optimizer_state_dict": {}}, path)
    return path


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_save_round_trips(tmp_path: Path, normalize: bool, bias: bool) -> None:
    sae = random_sae(normalize_decoder=normalize, decoder_bias=bias)
    again = load_sae(save_sae(sae, tmp_path / "sae"))
    assert same(sae, again)
    assert sae_fingerprint(sae) == sae_fingerprint(again)


def test_what_is_saved_can_be_shared(tmp_path: Path) -> None:
    folder = save_sae(random_sae(), tmp_path / "sae")
    (tmp_path / "plain").touch()
    usual = (tmp_path / "plain").stat().st_mode
    assert {path.stat().st_mode for path in folder.iterdir()} == {usual}


def test_what_is_saved_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        events.append("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        events.append(f"rename {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    save_sae(random_sae(), tmp_path / "sae")
    names = ("model.safetensors", "config.json")
    assert events == [said for name in names for said in (f"sync {name}.tmp", f"rename {name}", "sync sae")]


def test_upstreams_counters_are_read_past(tmp_path: Path) -> None:
    sae = random_sae()
    folder = save_sae(sae, tmp_path)
    state = load_file(folder / "model.safetensors") | {
        "feature_counts": torch.ones(64),
        "total_samples": torch.tensor(9),
    }
    save_file(state, folder / "model.safetensors")
    assert same(load_sae(folder), sae)


def test_the_authors_pt_is_read(tmp_path: Path) -> None:
    sae = random_sae()
    assert same(load_sae(authors_pt(sae, tmp_path / "sae.pt")), sae)


def test_sizes_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"sae\.pt holds other types or sizes"):
        load_sae(authors_pt(random_sae(), tmp_path / "sae.pt", expansion_factor=float("inf")))


def test_the_authors_pt_without_a_decoder_bias(tmp_path: Path) -> None:
    sae = random_sae(decoder_bias=False)
    assert same(load_sae(authors_pt(sae, tmp_path / "sae.pt")), sae)


def test_a_fingerprint_sees_every_weight_and_switch() -> None:
    sae = random_sae()
    seen = {sae_fingerprint(sae), sae_fingerprint(random_sae(normalize_decoder=False))}
    for value in sae.state_dict().values():
        value.view(-1)[-1] += 1
        seen.add(sae_fingerprint(sae))
    assert len(seen) == 6


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    torch.save({"config": Trap(), "model_state_dict": {}}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match="read safely"):
        load_sae(tmp_path / "evil.pt")
    assert not (tmp_path / "sprung").exists()


def _folder(tmp_path: Path, **config: object) -> Path:
    folder = save_sae(random_sae(), tmp_path / "sae")
    raw = json.loads((folder / "config.json").read_text()) | config
    (folder / "config.json").write_text(json.dumps({k: v for k, v in raw.items() if v is not None}))
    return folder


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"k": None}, "lacks k"),
        ({"k": "16"}, "whole number"),
        ({"k": 65}, "sae: k = 65 is more than the 64 latents"),
        ({"k": -1}, "sae: an SAE needs positive sizes, not 32 numbers an embedding, 64 latents, k = -1$"),
        ({"hidden_dim": 0}, "sae: an SAE needs positive sizes, not 32 numbers an embedding, 0 latents, k = 4$"),
        ({"architecture": "jumprelu"}, "do not know: architecture"),
        ({"hidden_dim": 128}, "does not fit its own config"),
        ({"hidden_dim": 10**12}, r"W_dec: found \(64, 32\), want \(1000000000000, 32\)"),
        ({"decoder_bias": False}, "b_dec: found"),
    ],
)
def test_configs_that_do_not_fit_are_refused(tmp_path: Path, config: dict[str, object], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        load_sae(_folder(tmp_path, **config))


@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64, torch.bool])
def test_weights_that_are_no_floats_are_refused(tmp_path: Path, dtype: torch.dtype) -> None:
    folder = save_sae(random_sae(), tmp_path / "sae")
    state = load_file(folder / "model.safetensors")
    save_file(state | {"W_dec": state["W_dec"].to(dtype)}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=rf"sae holds {dtype}: weights must be floating-point numbers"):
        load_sae(folder)


def test_a_config_that_nests_too_deep_is_refused(tmp_path: Path) -> None:
    folder = save_sae(random_sae(), tmp_path / "sae")
    (folder / "config.json").write_text("[" * 200_000)
    with pytest.raises(CheckpointError, match="sae cannot be read as an SAE"):
        load_sae(folder)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    sae = random_sae()
    sae.W_dec[3, 3] = float("nan")
    with pytest.raises(CheckpointError, match="not finite in W_dec"):
        load_sae(save_sae(sae, tmp_path))


def test_other_things_are_refused_with_what_was_found_and_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no checkpoint")
    torch.save({"weights": torch.zeros(3)}, tmp_path / "other.pt")
    (tmp_path / "cut").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "cut" / name).write_bytes((_folder(tmp_path) / name).read_bytes()[:20])
    for path, found in (("empty", "nothing"), ("notes.txt", "read safely"), ("other.pt", "weights"), ("cut", "cannot")):
        with pytest.raises(CheckpointError, match=found) as caught:
            load_sae(tmp_path / path)
        assert "\n" not in str(caught.value)
    for half in ("model.safetensors", "config.json"):
        with pytest.raises(CheckpointError, match=r"half of a checkpoint: give its folder, .*cut"):
            load_sae(tmp_path / "cut" / half)
    (tmp_path / "saelens").mkdir()
    (tmp_path / "saelens" / "cfg.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"lacks sae_weights\.safetensors \(it holds cfg\.json\)"):
        load_sae(tmp_path / "saelens")
    with pytest.raises(CheckpointError, match="no file and no folder my-sae, and a hub id is ORG/NAME"):
        load_sae("my-sae")
    with pytest.raises(CheckpointError, match="no file, no folder and no hub id"):
        load_sae("not/a/hub/id")
