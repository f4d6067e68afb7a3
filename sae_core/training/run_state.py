"""The state of a training run, and its checkpoint: a run that is resumed ends in the same weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sae_core.disk import sync, sync_folder
from sae_core.errors import TrainingError
from sae_core.sae.topk import TopKSAE


@dataclass
class RunState:
    """What a run goes on from."""

    sae: TopKSAE
    optimiser: torch.optim.Adam
    idle_steps: Tensor  # int64 [n_latents]: steps since a latent was last active
    step: int = 0


def save_state(state: RunState, run: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint; one that is killed meanwhile leaves the older one. `run` is what the run was asked to do."""
    temporary = path.with_name(path.name + ".tmp")
    parts: dict[str, Any] = {
        "run": run,
        "sae": state.sae.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "idle_steps": state.idle_steps,
        "step": state.step,
    }
    with open(temporary, "wb") as file:
        torch.save(parts, file)
        file.flush()
        sync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def restore_state(state: RunState, run: dict[str, Any], path: Path) -> None:
    """Raises TrainingError where the checkpoint is damaged, or of another run."""
    try:
        parts = torch.load(path, map_location=state.idle_steps.device, weights_only=True)
    except Exception as error:  # a damaged zip raises many types
        raise TrainingError(f"{path} is damaged: remove it to start anew") from error
    if parts.get("run") != run:
        raise TrainingError(f"{path} belongs to a run with other settings or embeddings: remove it to start anew")
    state.sae.load_state_dict(parts["sae"])
    state.optimiser.load_state_dict(parts["optimiser"])
    state.idle_steps = parts["idle_steps"]
    state.step = int(parts["step"])
