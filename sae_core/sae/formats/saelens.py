"""SAELens: a folder with `cfg.json` and `sae_weights.safetensors` (`SAE.save_model`; read against version 6.54).

standard and jumprelu have thresholds; topk keeps k after a ReLU; batchtopk is saved by SAELens as jumprelu. With
`rescale_acts_by_decoder_norm` Top-K compares pre-activations times the norm of the decoder row, which is the same SAE
with those norms moved from the decoder to the encoder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sae_core.errors import CheckpointError
from sae_core.sae.config import Activation, SAEConfig
from sae_core.sae.formats import Parts, cap, stated_k, tensor

CONFIG_FILE = "cfg.json"
WEIGHTS_FILE = "sae_weights.safetensors"
# Hook points that are the embedding a picture has in CLIP's joint space.
POOLED = ("image_embeds", "image_embedding", "image_features", "visual_projection", "pooled_embedding")
_ACTIVATIONS: dict[str, Activation] = {"standard": "threshold", "jumprelu": "threshold", "topk": "topk-relu"}


def read(raw: Mapping[str, Any], state: Mapping[str, Tensor], asked_k: int | None, where: str) -> Parts:
    """The SAE of `cfg.json` and its tensors. Raises CheckpointError for what it cannot be."""
    kind = _architecture(raw)
    if kind not in _ACTIVATIONS:
        raise CheckpointError(f"{where} is of SAELens' architecture {kind!r}; we read {', '.join(_ACTIVATIONS)}")
    _check_hook(raw, where)
    w_enc, b_enc, w_dec, b_dec = (tensor(state, name, where) for name in ("W_enc", "b_enc", "W_dec", "b_dec"))
    _check_sizes(raw, len(w_enc), len(b_enc), where)
    scale = _scale(raw, len(w_enc), where)
    if raw.get("apply_b_dec_to_input", True):
        b_enc = b_enc - b_dec @ w_enc
    folded = {"W_enc": w_enc * scale, "b_enc": b_enc, "W_dec": w_dec / scale, "b_dec": b_dec / scale}
    if kind == "topk" and raw.get("rescale_acts_by_decoder_norm", False):
        norms = w_dec.norm(dim=1)
        folded |= {"W_enc": folded["W_enc"] * norms, "b_enc": b_enc * norms, "W_dec": folded["W_dec"] / norms[:, None]}
    if kind != "topk":
        folded["threshold"] = tensor(state, "threshold", where) if kind == "jumprelu" else torch.zeros(len(b_enc))
    k = stated_k(_k(raw, where), asked_k, where) if kind == "topk" else cap(len(b_enc), asked_k)
    return SAEConfig(len(w_enc), len(b_enc), k, normalize_decoder=False, activation=_ACTIVATIONS[kind]), folded


def _architecture(raw: Mapping[str, Any]) -> str:
    """Before version 4, Top-K was an activation of the standard architecture."""
    kind = str(raw.get("architecture", "standard"))
    older = str(raw.get("activation_fn_str") or raw.get("activation_fn") or "relu")
    if kind != "standard" or older != "relu":
        return kind if kind != "standard" else older
    if raw.get("k") is not None:
        said = f"cfg.json says k = {raw['k']!r}, which the architecture 'standard' has not"
        raise CheckpointError(f"{said}: a Top-K SAE says 'topk' as its architecture there")
    return kind


def _check_sizes(raw: Mapping[str, Any], d_in: int, d_sae: int, where: str) -> None:
    """What `cfg.json` says of the weights must be so: it may be another SAE's."""
    for name, found in (("d_in", d_in), ("d_sae", d_sae)):
        if raw.get(name, found) != found:
            raise CheckpointError(f"{where}: cfg.json says {name} {raw[name]!r}, the weights have {found}")


def _k(raw: Mapping[str, Any], where: str) -> int:
    found = raw.get("k", (raw.get("activation_fn_kwargs") or {}).get("k"))
    if isinstance(found, bool) or not isinstance(found, int):
        raise CheckpointError(f"{where}: cfg.json must say k, a whole number, not {found!r}")
    return found


def _check_hook(raw: Mapping[str, Any], where: str) -> None:
    metadata = raw.get("metadata") or {}
    hook = metadata.get("hook_name") or raw.get("hook_name")
    if hook and hook not in POOLED:
        raise CheckpointError(
            f"{where} was trained at {hook!r}, which is no pooled embedding: a store holds one embedding a picture, as "
            f"CLIP compares it with texts (if it was trained on that, say {POOLED[0]!r} as hook_name in cfg.json)"
        )
    if raw.get("reshape_activations", "none") not in ("none", None):
        raise CheckpointError(f"{where} was trained on attention heads (hook_z), not on a pooled embedding")


def _scale(raw: Mapping[str, Any], d_embed: int, where: str) -> float:
    """What an embedding of unit norm is multiplied with before the encoder."""
    kind = raw.get("normalize_activations", "none") or "none"
    if kind == "none":
        return 1.0
    if kind == "constant_norm_rescale":  # to a norm of sqrt(d): exact for unit embeddings, and ours are
        return math.sqrt(d_embed)
    raise CheckpointError(f"{where} normalises its inputs by {kind!r}, which is not folded into its weights")
