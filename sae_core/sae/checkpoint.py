"""Reading and writing SAE checkpoints; nothing is ever unpickled.

- the hub mixin's folder or repository: `config.json` + `model.safetensors` (arXiv 2509.24510,
  `patrikwolf/clip-topk-sae`);
- the authors' `.pt`: `config` (`feature_dim`, `expansion_factor`, `k`, …) + `model_state_dict`, read with
  `weights_only=True`;
- SAELens, overcomplete and MSAE, by their adapters in `sae_core.sae.formats`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as as_safetensors

from sae_core.disk import write_atomically
from sae_core.errors import CheckpointError, first_line
from sae_core.references import PRESETS
from sae_core.sae.formats import Parts, msae, overcomplete, own
from sae_core.sae.pairs import PAIRS, READS, Read, fetch
from sae_core.sae.topk import TopKSAE, shapes_of


def load_sae(reference: str | Path, device: str | torch.device = "cpu", k: int | None = None) -> TopKSAE:
    """Loads a preset, a folder, a `.pt` file or a hub id (`ORG/NAME`, `hf://ORG/NAME/FOLDER`), ready for inference.

    `k` is for checkpoints that do not say it (overcomplete), and the most latents a picture may have where an SAE has
    thresholds. Raises CheckpointError, in one sentence, for anything else.
    """
    preset = PRESETS.get(str(reference))
    resolved = preset.sae if preset else str(reference)
    path = Path(resolved).expanduser()
    if path.is_dir():
        sae = _load_folder(path, k)
    elif path.is_file() and path.suffix in (".safetensors", ".json"):
        raise CheckpointError(f"{path} is half of a checkpoint: give its folder, {path.parent}")
    elif path.is_file():
        sae = _load_pt(path, k)
    else:
        sae = _load_pair(*fetch(resolved), k, resolved)
    return sae.to(device)


def save_sae(sae: TopKSAE, folder: str | Path) -> Path:
    """Writes `config.json` and `model.safetensors` in the hub's format, on to the disk; returns the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in sae.state_dict().items()}
    # Not save_file: it makes the file readable by its owner alone, and stores are shared. The config comes last: a
    # folder that has one is whole.
    for name, data in (
        (own.WEIGHTS_FILE, as_safetensors(state)),
        (own.CONFIG_FILE, (json.dumps(sae.config.to_hub(), indent=2) + "\n").encode()),
    ):
        write_atomically(folder / name, data)
    return folder


def sae_fingerprint(sae: TopKSAE) -> str:
    """sha256 over configuration and weights: equal exactly for SAEs that give equal codes."""
    digest = hashlib.sha256(json.dumps(sae.config.to_hub(), sort_keys=True).encode())
    for name, value in sorted(sae.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _load_folder(folder: Path, k: int | None) -> TopKSAE:
    present = {entry.name for entry in folder.iterdir()}
    for config, weights, read in PAIRS:
        if {config, weights} <= present:
            return _load_pair(folder / config, folder / weights, read, k, str(folder))
    nearest = max(PAIRS, key=lambda pair: len({*pair[:2]} & present))
    missing = [name for name in nearest[:2] if name not in present]
    found = ", ".join(sorted(present)[:5]) or "nothing"
    raise CheckpointError(f"{folder} lacks {' and '.join(missing)} (it holds {found}); {READS}")


def _load_pair(config_path: Path, weights_path: Path, read: Read, k: int | None, where: str) -> TopKSAE:
    try:
        raw = json.loads(config_path.read_text())
        state = load_file(weights_path)
    except (ValueError, RecursionError, SafetensorError, OSError) as error:
        raise CheckpointError(f"{where} cannot be read as an SAE: {first_line(error)}") from error
    if not isinstance(raw, dict):
        raise CheckpointError(f"{where}: {config_path.name} must hold one JSON object")
    return _made(lambda: read(raw, state, k, where), where)


def _load_pt(path: Path, k: int | None) -> TopKSAE:
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is none raises many types
        raise CheckpointError(
            f"{path} is no checkpoint that can be read safely (of a whole module, save the state dict); {READS}"
        ) from error
    where, keys = str(path), set(raw) if isinstance(raw, dict) else set()
    if keys >= own.PT_KEYS:
        return _made(lambda: own.read_pt(raw, k, where), where)
    if keys >= msae.KEYS:
        return _made(lambda: msae.read(raw, path.name, k, where), where)
    if overcomplete.DICTIONARY in keys:
        return _made(lambda: overcomplete.read(raw, k, where), where)
    found = ", ".join(sorted(map(str, keys))[:5]) or type(raw).__name__
    raise CheckpointError(f"{path} holds {found}, not config and model_state_dict; {READS}")


def _made(read: Callable[[], Parts], where: str) -> TopKSAE:
    """An SAE from its parts, after a check that says every tensor that does not fit."""
    try:
        config, state = read()
        wanted = shapes_of(config)
        found = {name: tuple(value.shape) for name, value in state.items()}
        if wrong := sorted(name for name in wanted | found if wanted.get(name) != found.get(name)):
            said = "; ".join(
                f"{name}: found {found.get(name, 'nothing')}, want {wanted.get(name, 'nothing')}" for name in wrong
            )
            raise CheckpointError(f"{where} does not fit its own config ({said})")
        if other := sorted({str(state[name].dtype) for name in wanted if not state[name].is_floating_point()}):
            raise CheckpointError(f"{where} holds {', '.join(other)}: weights must be floating-point numbers")
        weights = {name: state[name].float() for name in wanted}
    except CheckpointError as error:
        raise error if where in str(error) else CheckpointError(f"{where}: {error}") from error
    except (TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{where} holds other types or sizes than a checkpoint's: {first_line(error)}") from error
    if bad := [name for name, value in weights.items() if not torch.isfinite(value).all()]:
        raise CheckpointError(f"{where} holds values that are not finite in {', '.join(bad)}")
    sae = TopKSAE(config)  # not before: a config may promise what no memory holds
    sae.load_state_dict(weights)
    return sae
