"""MSAE, the Matryoshka SAEs of arXiv 2502.20578: a `.pth` with `model`, `mean_center` and `scaling_factor`.

The file's name holds the configuration, as the authors' loader reads it:
`LATENTS_INPUTS_ACTIVATION[_K][_UW|_RW]_TIED_NORMALIZE_SOFTCAP_…`. Codes are those of its largest k.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sae_core.errors import CheckpointError
from sae_core.sae.config import Activation, SAEConfig
from sae_core.sae.formats import Parts, cap, stated_k, tensor

KEYS = {"model", "mean_center", "scaling_factor"}
_ACTIVATIONS: dict[str, Activation] = {
    "TopK": "topk",
    "TopKReLU": "topk-relu",
    "ReLU": "threshold",
    "JumpReLU": "threshold",
}


@dataclass(frozen=True)
class _Named:
    """What a file's name says."""

    activation: str
    k: int | None
    tied: bool


def read(raw: Mapping[str, Any], name: str, asked_k: int | None, where: str) -> Parts:
    """The SAE of a file of this name. Raises CheckpointError for what it cannot be."""
    named, state = _parse(name, where), raw["model"]
    encoder, bias, centre = (tensor(state, part, where) for part in ("encoder", "latent_bias", "pre_bias"))
    decoder = encoder.T if named.tied else tensor(state, "decoder", where)
    mean, scale = (_numbers(raw[part], part, where) for part in ("mean_center", "scaling_factor"))
    # x' = (x - mean) * scale; z = act((x' - centre) @ encoder + bias); x_hat = (z @ decoder + centre) / scale + mean
    parts = {
        "W_enc": encoder * scale,
        "b_enc": bias - (mean * scale + centre) @ encoder,
        "W_dec": (decoder / scale).contiguous(),
        "b_dec": (centre / scale + mean).expand(len(encoder)).clone(),
    }
    kind = _ACTIVATIONS[named.activation]
    if kind == "threshold":
        jump = named.activation == "JumpReLU"
        parts["threshold"] = tensor(state, "activation.log_threshold", where).exp() if jump else torch.zeros(len(bias))
    k = cap(len(bias), asked_k) if named.k is None else stated_k(named.k, asked_k, where)
    return SAEConfig(len(encoder), len(bias), k, normalize_decoder=False, activation=kind), parts


def _parse(name: str, where: str) -> _Named:
    words = name.partition(".pt")[0].split("_")
    try:
        activation, rest = words[2], words[3:]
        k = int(rest.pop(0)) if "TopK" in activation else None
        if activation == "ReLU":
            rest.pop(0)  # the weight of its L1 penalty
        if "UW" in rest[0] or "RW" in rest[0]:
            rest.pop(0)
        tied, normalised, soft_cap = rest[0] != "False", rest[1] != "False", float(rest[2])
    except (IndexError, ValueError) as error:
        raise CheckpointError(
            f"{where} is an MSAE checkpoint, whose name must say what it is, as the authors wrote it: "
            "LATENTS_INPUTS_ACTIVATION_K_UW_TIED_NORMALIZE_SOFTCAP_…"
        ) from error
    if activation not in _ACTIVATIONS:
        raise CheckpointError(f"{where} has the activation {activation}; of MSAE's we read {', '.join(_ACTIVATIONS)}")
    if normalised or soft_cap > 0:
        raise CheckpointError(f"{where} normalises each input or caps its activations softly, which cannot be folded")
    return _Named(activation, k, tied)


def _numbers(value: Any, part: str, where: str) -> Tensor:
    """A number, or one for each dimension."""
    try:
        return torch.as_tensor(value).detach().float()
    except (TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{where}: {part} is no number and no tensor") from error
