"""The `train-sae` command: embeddings of a store or a file to an SAE in the hub's format."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from index_builder import progress
from index_builder.commands import TrainCommand
from index_builder.config import resolved_device
from index_builder.existing import a_place, check_writable
from index_builder.workdir import held
from sae_core.errors import TrainingError
from sae_core.metrics import Fidelity, fidelity
from sae_core.sae.checkpoint import save_sae
from sae_core.sae.topk import TopKSAE
from sae_core.store import layout
from sae_core.store.checks import read_manifest
from sae_core.training.record import NAME, TrainingRecord
from sae_core.training.trainer import StepFigures, train_sae

_LEAST_HELD_OUT = 20  # embeddings that say something
_LOCK, _CHECKPOINT = "training.lock", "training.pt"
_OURS = {_LOCK, _CHECKPOINT, f"{_CHECKPOINT}.tmp", NAME}
_OURS |= {"model.safetensors", "model.safetensors.tmp", "config.json.tmp"}
log = logging.getLogger("sparsight")


def run(command: TrainCommand) -> Fidelity:
    """Trains, saves and reports; raises TrainingError in one sentence."""
    settings = command.settings()
    embeddings = load_embeddings(command.embeddings)
    device = resolved_device(command.device)
    kept, held_out = parted(embeddings, command.held_out, command.seed)
    if (n := len(kept)) < settings.n_latents:
        few = "%d embeddings are few for %d latents, which come to stand for single pictures: give fewer --latents"
        log.warning(few, n, settings.n_latents)
    with _folder(command.out) as checkpoint, _shown(settings.steps) as report:
        sae = train_sae(
            kept,
            settings,
            checkpoint=checkpoint,
            device=device,
            report=report,
        )
        found = measured(sae, kept, held_out, command.out)
        save_sae(sae, command.out)
        checkpoint.unlink(missing_ok=True)
    return found


def parted(embeddings: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Those to train on, and a drawn share that the SAE never sees; none of so few that nothing could be said."""
    n_held_out = round(share * len(embeddings))
    if n_held_out < _LEAST_HELD_OUT:
        return embeddings, embeddings[:0]
    order = np.random.default_rng([seed, len(embeddings)]).permutation(len(embeddings))
    return embeddings[np.sort(order[n_held_out:])], embeddings[np.sort(order[:n_held_out])]


def measured(sae: TopKSAE, kept: Tensor, held_out: Tensor, out: Path) -> Fidelity:
    """Fidelity on what it was trained on; that on the held out embeddings is kept beside the weights, too."""
    found = measure(sae, kept, "the embeddings it was trained on")
    if len(held_out):
        other = measure(sae, held_out, f"{len(held_out):,} held out")
        TrainingRecord(n_embeddings=len(kept), n_held_out=len(held_out), fvu=found.fvu, fvu_held_out=other.fvu).save(
            out
        )
    return found


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """Where a run keeps its checkpoint, held while it runs. Raises SparsightError where the folder is another's."""
    with a_place(out):
        if (out / "config.json").is_file():
            raise TrainingError(f"{out} already holds an SAE: choose another --out, or remove it")
        if out.is_dir() and (others := sorted({path.name for path in out.iterdir()} - _OURS)):
            raise TrainingError(f"{out} holds other things ({', '.join(others[:3])}): choose another --out")
        out.mkdir(parents=True, exist_ok=True)
        check_writable(out)
    with held(out / _LOCK, f"another run is writing {out}: wait for it, or choose another --out"):
        try:
            yield out / _CHECKPOINT
        finally:
            (out / _LOCK).unlink()
            if next(out.iterdir(), None) is None:  # nothing to go on from
                out.rmdir()


def load_embeddings(path: Path) -> Tensor:
    """Embeddings `[n, d_embed]` of a store or a `.npy`. Raises TrainingError."""
    if path.is_dir():
        read_manifest(path)
    try:
        with open(path / layout.EMBEDDINGS if path.is_dir() else path, "rb") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)  # np.load takes any other file for a pickle
        if array.dtype.kind not in "fiu":
            raise TypeError(f"it holds {array.dtype}, not real numbers")
        return torch.from_numpy(array.astype(np.float32, copy=False))
    except (OSError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise TrainingError(f"{path} is neither a store nor a .npy of embeddings: {error}") from error


def measure(sae: TopKSAE, embeddings: Tensor, which: str, most: int = 20_000) -> Fidelity:
    """Fidelity on a spread of the embeddings; logs it with the number of latents never active there."""
    rows = torch.linspace(0, len(embeddings) - 1, min(most, len(embeddings))).long()
    x = embeddings[rows]
    codes = sae.encode(x)
    found = fidelity(x, sae.decode(codes), codes.activations)
    n_alive = len(codes.indices[codes.activations > 0].unique())
    n_dead = sae.config.n_latents - n_alive
    said = (which, found.cosine, found.fvu, found.l0, n_dead, sae.config.n_latents)
    log.info("on %s: cosine %.4f, FVU %.4f, L0 %.2f, %d of %d latents never active", *said)
    return found


@contextlib.contextmanager
def _shown(n_steps: int) -> Iterator[Callable[[StepFigures], None]]:
    """A bar that appears with the first step: what is wrong with the embeddings is said before it."""
    bars: list[tqdm[Any]] = []

    def show(figures: StepFigures) -> None:
        if not bars:
            bars.append(progress.bar("train", n_steps, "step"))
        bars[0].set_postfix(fvu=f"{figures.fvu:.4f}", l0=f"{figures.l0:.1f}", dead=figures.n_dead, refresh=False)
        bars[0].update(figures.step - bars[0].n)

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()
