"""What the commands but `build` are asked to do. Field comments are the CLI's help.

Nothing here imports PyTorch: help and a mistyped option should not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from index_builder.config import Device, check_utf8
from sae_core.errors import TrainingError
from sae_core.training.config import TrainConfig

_MOST_HELD_OUT = 0.5  # of the embeddings: more and there is little to train on


@dataclass(frozen=True)
class RecodeCommand:
    """Make a new store from a published one: with another SAE, or without pictures. No picture is read or encoded."""

    store: tyro.conf.Positional[Path]
    """The published store; it stays as it is."""
    out: Path
    """The store to write; it appears, whole, when everything is done."""
    sae: str | None = None
    """The SAE of the new store: a preset, a hub id, a folder, or the authors' .pt file; by default the old store's."""
    name: str | None = None
    """What people call the new store; the folder's name by default."""
    k: int | None = None
    """Latents kept per picture, as for build: only where the checkpoint does not say."""
    thumbnails: Literal["same", "none"] = "same"
    """none: without pictures, for a store whose pictures may not be shared."""
    device: Device = "auto"
    """Where the SAE and the texts are run; auto takes CUDA where there is one."""

    def __post_init__(self) -> None:
        check_utf8("--out", self.out)
        check_utf8("--name", self.name)


@dataclass(frozen=True)
class VerifyCommand:
    """Read every byte of a store and list every defect."""

    store: tyro.conf.Positional[Path]
    """The store to check."""


@dataclass(frozen=True)
class InfoCommand:
    """Say what a store is."""

    store: tyro.conf.Positional[Path]
    """The store to describe."""
    json: bool = False
    """Print the whole manifest as JSON."""


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
    held_out: float = 0.1
    """Share of the embeddings that are not trained on; what the SAE leaves of these says how far it memorised."""
    device: Device = "auto"
    """Where to train."""

    def __post_init__(self) -> None:
        check_utf8("--out", self.out)
        if not 0 <= self.held_out <= _MOST_HELD_OUT:
            raise TrainingError(f"--held-out is a share from 0 to {_MOST_HELD_OUT}, not {self.held_out}")

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


@dataclass(frozen=True)
class PushCommand:
    """Put a store into a data-set repository of the hub. Private unless it is said otherwise."""

    store: tyro.conf.Positional[Path]
    """The store; it is verified first."""
    repo: tyro.conf.Positional[str]
    """ORG/NAME; made where it is not there yet."""
    public: bool = False
    """Everybody may see it. Changes nothing of a repository that is there already."""
    revision: str | None = None
    """The branch; main unless it is said otherwise."""
    license: str | None = None
    """The hub's short name of a licence, such as cc-by-4.0, for the card."""
    message: Annotated[str, tyro.conf.arg(metavar="TEXT")] = "A latent store"
    """Of the commit."""


@dataclass(frozen=True)
class PullCommand:
    """Fetch a store from the hub."""

    repo: tyro.conf.Positional[str]
    """ORG/NAME, or hf://ORG/NAME@REVISION."""
    out: Path
    """Where the store is to lie."""
    revision: str | None = None
    """A branch, a tag or a commit; main unless it is said otherwise."""
    replace: bool = False
    """Put it in the place of a store that lies there."""
