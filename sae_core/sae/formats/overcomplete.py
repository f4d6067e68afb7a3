"""Overcomplete (`TopKSAE`, `JumpSAE`): what `torch.save(sae.state_dict(), …)` wrote; read against version 0.3.

A state dict says neither k nor how the dictionary is normalised: k comes from `--k`, and rows of another norm than 1
(the library's default) are refused. An encoder's batch normalisation is folded, as it is fixed at inference.
A `BatchTopKSAE` cannot be read: its threshold is no part of its state dict.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sae_core.errors import CheckpointError
from sae_core.sae.config import SAEConfig
from sae_core.sae.formats import Parts, cap, tensor

DICTIONARY = "dictionary._weights"
_NORMALISED = 0.2  # the last training step comes after the last normalisation: norms are near 1, not 1
_EPSILON = 1e-8  # the library's, in its normalisation
_BATCH_EPSILON = 1e-5  # torch's default, which the library leaves


def read(state: Mapping[str, Tensor], asked_k: int | None, where: str) -> Parts:
    """The SAE of a state dict. Raises CheckpointError for what it cannot be."""
    rows = _rows(state, where)
    weight, bias = _encoder(state, rows, where)
    parts = {"W_enc": weight.T, "b_enc": bias, "W_dec": rows}
    n_latents, d_embed = rows.shape
    if "thresholds" in state:  # of a jump: what equals its threshold passes
        jump = tensor(state, "thresholds", where).exp()
        parts["threshold"] = torch.nextafter(jump, torch.zeros(()))
        config = SAEConfig(d_embed, n_latents, cap(n_latents, asked_k), False, False, "threshold")
    elif asked_k is None:
        raise CheckpointError(
            f"{where} is a state dict of overcomplete, which does not say its top_k: give it with --k "
            "(a BatchTopKSAE cannot be read: its threshold is not in there)"
        )
    else:
        config = SAEConfig(d_embed, n_latents, asked_k, False, False, "topk-relu")
    return config, parts


def _rows(state: Mapping[str, Tensor], where: str) -> Tensor:
    """The dictionary as it decodes."""
    raw = tensor(state, DICTIONARY, where)
    norms = raw.norm(dim=1, keepdim=True)
    if ((norms - 1).abs() > _NORMALISED).any():
        raise CheckpointError(
            f"{where} has dictionary rows of norm {float(norms.min()):.2f} to {float(norms.max()):.2f}; we read "
            "overcomplete's default normalisation, 'l2', which makes them 1"
        )
    rows: Tensor = raw / (norms + _EPSILON) * tensor(state, "dictionary.multiplier", where).exp()
    return rows


def _encoder(state: Mapping[str, Tensor], rows: Tensor, where: str) -> tuple[Tensor, Tensor]:
    """Weight [n_latents, d_embed] and bias of a linear encoder, batch normalisation folded."""
    known = {DICTIONARY, "dictionary.multiplier", "thresholds"}
    if found := sorted(name for name in state if name not in known and not name.startswith("encoder.")):
        raise CheckpointError(f"{where} has {', '.join(found[:4])}, which no SAE of overcomplete that we read has")
    if any(name.startswith("encoder.mlp_blocks.") for name in state):
        raise CheckpointError(f"{where} has an encoder of several layers; we read linear ones")
    if "encoder.final_block.0.weight" not in state:  # tied to the dictionary, or with a weight of its own
        weight = tensor(state, "encoder.weight", where) if "encoder.weight" in state else rows
        return weight, tensor(state, "encoder.bias", where) if "encoder.bias" in state else torch.zeros(len(rows))
    weight, bias = (tensor(state, f"encoder.final_block.0.{name}", where) for name in ("weight", "bias"))
    if "encoder.final_block.1.running_var" not in state:
        if any(name.startswith("encoder.final_block.1.") for name in state):
            raise CheckpointError(f"{where} normalises each picture in its encoder, which cannot be folded")
        return weight, bias
    mean, variance, gain, shift = (
        tensor(state, f"encoder.final_block.1.{name}", where)
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    factor = gain / (variance + _BATCH_EPSILON).sqrt()
    return weight * factor[:, None], (bias - mean) * factor + shift
