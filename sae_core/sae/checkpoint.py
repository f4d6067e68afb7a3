"""Reading and writing SAE checkpoints. Two formats are read, and nothing is ever unpickled:

- the hub mixin's folder or repository: `config.json` + `model.safetensors` (arXiv 2509.24510,
  `patrikwolf/clip-topk-sae`);
- the authors' `.pt`: `config` (`feature_dim`, `expansion_factor`, `k`, …) + `model_state_dict`, read with
  `weights_only=True`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as as_safetensors
from torch import Tensor

from sae_core.errors import CheckpointError
from sae_core.references import PRESETS
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import TopKSAE

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
READS = (
    f"we read a preset ({', '.join(PRESETS)}), a folder or hub repository with {CONFIG_FILE} and {WEIGHTS_FILE}, "
    "or the authors' .pt"
)
# Upstream counts activations in these on every call; we never do, so they are read past.
_UPSTREAM_COUNTERS = {"feature_counts", "total_samples"}


def load_sae(reference: str | Path, device: str | torch.device = "cpu") -> TopKSAE:
    """Loads a preset, a folder, a `.pt` file or a hub id, ready for inference.

    Raises CheckpointError, in one sentence, for anything else.
    """
    preset = PRESETS.get(str(reference))
    resolved = preset.sae if preset else str(reference)
    path = Path(resolved).expanduser()
    if path.is_dir():
        sae = _load_folder(path)
    elif path.is_file():
        sae = _load_pt(path)
    else:
        sae = _load_hub(resolved)
    return sae.to(device)


def save_sae(sae: TopKSAE, folder: str | Path) -> Path:
    """Writes `config.json` and `model.safetensors` in the hub's format; returns the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in sae.state_dict().items()}
    # Not save_file: it makes the file readable by its owner alone, and stores are shared. The config comes last: a
    # folder that has one is whole.
    for name, data in (
        (WEIGHTS_FILE, as_safetensors(state)),
        (CONFIG_FILE, (json.dumps(sae.config.to_hub(), indent=2) + "\n").encode()),
    ):
        (folder / f"{name}.tmp").write_bytes(data)
        (folder / f"{name}.tmp").replace(folder / name)
    return folder


def sae_fingerprint(sae: TopKSAE) -> str:
    """sha256 over configuration and weights: equal exactly for SAEs that give equal codes."""
    digest = hashlib.sha256(json.dumps(sae.config.to_hub(), sort_keys=True).encode())
    for name, value in sorted(sae.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _load_folder(folder: Path) -> TopKSAE:
    present = sorted(entry.name for entry in folder.iterdir())
    if missing := [name for name in (CONFIG_FILE, WEIGHTS_FILE) if name not in present]:
        found = ", ".join(present[:5]) or "nothing"
        raise CheckpointError(f"{folder} lacks {' and '.join(missing)} (it holds {found}); {READS}")
    return _load_pair(folder / CONFIG_FILE, folder / WEIGHTS_FILE, str(folder))


def _load_pair(config_path: Path, weights_path: Path, where: str) -> TopKSAE:
    try:
        raw = json.loads(config_path.read_text())
        state = load_file(weights_path)
    except (ValueError, SafetensorError, OSError) as error:
        raise CheckpointError(f"{where} cannot be read as an SAE: {_first_line(error)}") from error
    if not isinstance(raw, dict):
        raise CheckpointError(f"{where}: {CONFIG_FILE} must hold one JSON object")
    return _assemble(SAEConfig.from_hub(raw), state, where)


def _load_pt(path: Path) -> TopKSAE:
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is none raises many types
        raise CheckpointError(f"{path} is no checkpoint that can be read safely; {READS}") from error
    if not isinstance(raw, dict) or not {"config", "model_state_dict"} <= raw.keys():
        found = ", ".join(map(str, list(raw)[:5])) if isinstance(raw, dict) else type(raw).__name__
        raise CheckpointError(f"{path} holds {found}, not config and model_state_dict; {READS}")
    state = raw["model_state_dict"]
    try:
        return _assemble(_config_of_pt(raw["config"], state, path), state, str(path))
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} holds other types than a checkpoint's: {_first_line(error)}") from error


def _config_of_pt(raw: Any, state: Mapping[str, Tensor], path: Path) -> SAEConfig:
    """The authors' training configuration; the decoder switches default as upstream's constructor does."""
    if not isinstance(raw, dict) or not {"feature_dim", "expansion_factor", "k"} <= raw.keys():
        raise CheckpointError(f"{path}: its config lacks feature_dim, expansion_factor or k; {READS}")
    return SAEConfig(
        d_embed=int(raw["feature_dim"]),
        n_latents=int(raw["feature_dim"] * raw["expansion_factor"]),
        k=int(raw["k"]),
        normalize_decoder=bool(raw.get("normalize_decoder", True)),
        decoder_bias=bool(raw.get("decoder_bias", "b_dec" in state)),
    )


def _load_hub(reference: str) -> TopKSAE:
    repository = reference.removeprefix("hf-hub:").removeprefix("hf://")
    try:
        config_path, weights_path = (Path(hf_hub_download(repository, name)) for name in (CONFIG_FILE, WEIGHTS_FILE))
    except HFValidationError as error:
        raise CheckpointError(f"{reference} is no file, no folder and no hub id; {READS}") from error
    except GatedRepoError as error:
        raise CheckpointError(f"{repository} is gated: accept its terms, then `hf auth login`") from error
    except LocalEntryNotFoundError as error:
        raise CheckpointError(f"{repository} is not cached here and the hub cannot be reached") from error
    except HfHubHTTPError as error:
        raise CheckpointError(f"the hub has no SAE at {repository}: {_first_line(error)}; {READS}") from error
    return _load_pair(config_path, weights_path, repository)


def _assemble(config: SAEConfig, state: Mapping[str, Tensor], where: str) -> TopKSAE:
    """An SAE from its parts, after a check that says every tensor that does not fit."""
    sae = TopKSAE(config)
    wanted = {name: tuple(value.shape) for name, value in sae.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items() if name not in _UPSTREAM_COUNTERS}
    if wrong := sorted(name for name in wanted | found if wanted.get(name) != found.get(name)):
        said = "; ".join(
            f"{name}: found {found.get(name, 'nothing')}, want {wanted.get(name, 'nothing')}" for name in wrong
        )
        raise CheckpointError(f"{where} does not fit its own config ({said})")
    weights = {name: state[name].float() for name in wanted}
    if bad := [name for name, value in weights.items() if not torch.isfinite(value).all()]:
        raise CheckpointError(f"{where} holds values that are not finite in {', '.join(bad)}")
    sae.load_state_dict(weights)
    return sae


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
