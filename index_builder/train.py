"""The `train-sae` command: embeddings of a store or a file to an SAE in the hub's format."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import tyro
from torch import Tensor
from tqdm import tqdm

from sae_core.errors import TrainingError
from sae_core.metrics import Fidelity, fidelity
from sae_core.sae.checkpoint import save_sae
from sae_core.sae.topk import TopKSAE
from sae_core.store import layout
from sae_core.store.checks import read_manifest
from sae_core.training.config import TrainConfig
from sae_core.training.trainer import StepFigures, train_sae

log = logging.getLogger("sparsight")


@dataclass(frozen=True)
class TrainCommand:
    """Train a Top-K SAE on embeddings. Run it again to resume."""

    embeddings: Path
    """A store, or a .npy file of unit float32 embeddings [n, d_embed]."""
    latents: int
    """Size of the dictionary."""
    out: Path
    """Folder for config.json and model.safetensors."""
    k: int = 16
    """Latents kept per embedding."""
    steps: int = 5_000
    """Gradient steps."""
    batch_size: int = 1_024
    """Embeddings a step."""
    lr: Annotated[float, tyro.conf.arg(name="learning-rate")] = 1e-3
    """Of Adam, after its warm-up."""
    seed: int = 0
    """Decides the run."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train."""

    def settings(self) -> TrainConfig:
        """The trainer's settings; warm-ups are fixed shares of the run."""
        return TrainConfig(
            n_latents=self.latents,
            k=self.k,
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.lr,
            lr_warmup_steps=max(1, self.steps // 20),
            k_warmup_steps=self.steps // 4,
            seed=self.seed,
        )


def run(command: TrainCommand) -> Fidelity:
    """Trains, saves and reports; raises TrainingError in one sentence."""
    settings = command.settings()
    embeddings = load_embeddings(command.embeddings)
    if (command.out / "config.json").is_file():
        raise TrainingError(f"{command.out} already holds an SAE: choose another --out, or remove it")
    command.out.mkdir(parents=True, exist_ok=True)
    checkpoint = command.out / "training.pt"
    if command.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("--device cuda: PyTorch sees no GPU here; take --device cpu or auto")
    cuda = command.device != "cpu" and torch.cuda.is_available()
    with tqdm(total=settings.steps, desc="train", unit="step", dynamic_ncols=True) as bar:
        sae = train_sae(
            embeddings,
            settings,
            checkpoint=checkpoint,
            device="cuda" if cuda else "cpu",
            report=lambda figures: _show(bar, figures),
        )
    save_sae(sae, command.out)
    checkpoint.unlink(missing_ok=True)
    return measure(sae, embeddings)


def load_embeddings(path: Path) -> Tensor:
    """Embeddings `[n, d_embed]` of a store or a `.npy`. Raises TrainingError."""
    if path.is_dir():
        read_manifest(path)
    try:
        array = np.load(path / layout.EMBEDDINGS if path.is_dir() else path, allow_pickle=False)
        return torch.from_numpy(array.astype(np.float32, copy=False))
    except (OSError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise TrainingError(f"{path} is neither a store nor a .npy of embeddings: {error}") from error


def measure(sae: TopKSAE, embeddings: Tensor, most: int = 20_000) -> Fidelity:
    """Fidelity on a spread of the embeddings; logs it with the number of latents never active there."""
    rows = torch.linspace(0, len(embeddings) - 1, min(most, len(embeddings))).long()
    x = embeddings[rows]
    codes = sae.encode(x)
    found = fidelity(x, sae.decode(codes), codes.activations)
    n_alive = len(codes.indices[codes.activations > 0].unique())
    n_dead = sae.config.n_latents - n_alive
    log.info(
        "cosine %.4f, FVU %.4f, L0 %.2f, dead %d of %d", found.cosine, found.fvu, found.l0, n_dead, sae.config.n_latents
    )
    return found


def _show(bar: tqdm, figures: StepFigures) -> None:  # type: ignore[type-arg]
    bar.set_postfix(fvu=f"{figures.fvu:.4f}", l0=f"{figures.l0:.1f}", dead=figures.n_dead, refresh=False)
    bar.update(figures.step - bar.n)
