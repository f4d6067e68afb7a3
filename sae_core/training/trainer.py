"""Trains a Top-K SAE: normalised reconstruction loss, and an auxiliary loss that revives dead latents.

    loss = |x - x_hat|^2 / |x - mean|^2  +  aux_weight * |e - e_hat|^2 / |e|^2,    e = x - x_hat

where e_hat rebuilds the error from the `aux_k` strongest *dead* latents (Gao et al., arXiv 2406.04093, A.2). A run is
decided by its seed: batches come from a permutation per epoch, so a resumed run ends in the same weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from sae_core.errors import TrainingError
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import SparseCodes, TopKSAE
from sae_core.training.config import TrainConfig
from sae_core.training.run_state import RunState, restore_state, save_state


class StepFigures(NamedTuple):
    """What a progress line shows."""

    step: int  # of steps done
    fvu: float  # of the batch, about the data set's mean
    l0: float  # mean number of activations > 0 in the batch
    n_dead: int  # latents without an activation for `dead_after_steps`


def train_sae(
    embeddings: Float[Tensor, "n d_embed"],
    config: TrainConfig,
    *,
    checkpoint: Path | None = None,
    device: str | torch.device = "cpu",
    report: Callable[[StepFigures], None] = lambda _: None,
) -> TopKSAE:
    """Trains on unit embeddings; resumes from `checkpoint` where it exists. The caller removes it once the SAE is safe.

    Raises TrainingError for embeddings that cannot be trained on, or a checkpoint of another run.
    """
    _check(embeddings, config)
    state = _start(embeddings, config, device)
    run = asdict(config) | {"embeddings": _hash(embeddings)}
    if checkpoint is not None and checkpoint.is_file():
        restore_state(state, run, checkpoint)
    mean = embeddings.mean(0).to(device)
    while state.step < config.steps:
        batch = embeddings[_batch_rows(state.step, len(embeddings), config)].to(device)
        report(_step(state, batch, mean, config))
        if checkpoint is not None and state.step % config.checkpoint_every == 0:
            save_state(state, run, checkpoint)
    return state.sae.requires_grad_(False).eval().cpu()


def _check(embeddings: Tensor, config: TrainConfig) -> None:
    if embeddings.ndim != 2 or len(embeddings) < 2:
        raise TrainingError(f"embeddings must be a table [n, d_embed] of at least 2 rows, not {list(embeddings.shape)}")
    norms = embeddings.norm(dim=1)
    if not torch.isfinite(norms).all() or (norms - 1).abs().max() > 1e-2:
        raise TrainingError("embeddings must be finite and of unit norm: divide each row by its norm first")


def _start(embeddings: Tensor, config: TrainConfig, device: str | torch.device) -> RunState:
    """Random directions, tied at the start, with the data's mean as bias: pre-activations then begin centred."""
    d_embed = embeddings.shape[1]
    sae = TopKSAE(SAEConfig(d_embed, config.n_latents, config.k))
    generator = torch.Generator().manual_seed(config.seed)
    directions = F.normalize(torch.randn(config.n_latents, d_embed, generator=generator), dim=1)
    mean = embeddings.mean(0)
    with torch.no_grad():
        sae.W_dec.copy_(directions)
        sae.W_enc.copy_(directions.T)
        sae.b_enc.copy_(-directions @ mean)
        if sae.b_dec is not None:
            sae.b_dec.copy_(mean)
    sae = sae.to(device).requires_grad_(True).train()
    optimiser = torch.optim.Adam(sae.parameters(), lr=config.learning_rate)
    return RunState(sae, optimiser, torch.zeros(config.n_latents, dtype=torch.int64, device=device))


def _batch_rows(step: int, n: int, config: TrainConfig) -> Tensor:
    """Rows of a step: consecutive runs of one permutation per epoch."""
    per_epoch = max(n // config.batch_size, 1)
    epoch, place = divmod(step, per_epoch)
    start = place * config.batch_size
    return _permutation(n, config.seed * 1_000_003 + epoch)[start : start + config.batch_size]


@lru_cache(maxsize=1)
def _permutation(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


def _step(state: RunState, x: Tensor, mean: Tensor, config: TrainConfig) -> StepFigures:
    for group in state.optimiser.param_groups:
        group["lr"] = config.lr_at(state.step)
    pre_activations = state.sae.pre_activations(x)
    top = torch.topk(pre_activations, config.k_at(state.step), dim=-1)
    x_hat = state.sae.decode(SparseCodes(top.indices, top.values))
    error = x - x_hat
    fvu = error.square().sum() / (x - mean).square().sum().clamp_min(1e-12)
    _count_idle(state, top.indices, top.values)
    dead = state.idle_steps >= config.dead_after_steps
    loss = fvu + config.aux_weight * _auxiliary_loss(state.sae, pre_activations, error.detach(), dead, config.aux_k)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.sae.parameters(), config.clip_norm)
    state.optimiser.step()
    state.step += 1
    return StepFigures(state.step, fvu.item(), (top.values > 0).sum(1).float().mean().item(), int(dead.sum()))


def _count_idle(state: RunState, indices: Tensor, values: Tensor) -> None:
    state.idle_steps += 1
    state.idle_steps[indices[values > 0].unique()] = 0


def _auxiliary_loss(sae: TopKSAE, pre_activations: Tensor, error: Tensor, dead: Tensor, aux_k: int) -> Tensor:
    """How badly the dead latents alone rebuild what the living ones miss; 0 while none is dead."""
    n_dead = int(dead.sum())
    if n_dead == 0:
        return error.new_zeros(())
    of_dead = pre_activations.masked_fill(~dead, -torch.inf)
    top = torch.topk(of_dead, min(aux_k, n_dead), dim=-1)
    rebuilt = F.embedding_bag(top.indices, sae.decoder_rows(), per_sample_weights=top.values, mode="sum")
    return (error - rebuilt).square().sum() / error.square().sum().clamp_min(1e-12)


def _hash(embeddings: Tensor) -> str:
    return hashlib.sha256(embeddings.contiguous().numpy().tobytes()).hexdigest()
