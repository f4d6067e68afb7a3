"""Texts through a text tower without their padding.

A causal tower pools at a text's end, and what stands after it is never looked at: a word of three tokens gives the same
embedding in 5 places as in the 77 that it is padded to.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


def encode_tokens(
    model: Any, tokens: Int[Tensor, "n context"], batch_size: int
) -> Float[Tensor, "n d_embed"]:  # as open_clip's encode_text gives them, on the CPU
    """Encodes tokens padded to the context length; texts of like length go together."""
    ends = _ends(model, tokens)
    if ends is None:
        return torch.cat([model.encode_text(batch).float().cpu() for batch in tokens.split(batch_size)])
    order = ends.argsort(stable=True)
    encoded = []
    for chosen in order.split(batch_size):
        length = int(ends[chosen].max()) + 1
        encoded.append(_shortened(model, length).encode_text(tokens[chosen, :length]).float().cpu())
    return torch.cat(encoded)[order.argsort().cpu()]


def _ends(model: Any, tokens: Int[Tensor, "n context"]) -> Int[Tensor, " n"] | None:
    """Where each text is pooled; None where a tower may look at what stands after that."""
    mask, pooled = getattr(model, "attn_mask", None), getattr(model, "text_pool_type", None)
    if mask is None or not _is_causal(mask) or pooled not in ("argmax", "eos"):
        return None
    return tokens.argmax(dim=-1) if pooled == "argmax" else (tokens == model.text_eos_id).int().argmax(dim=-1)


def _is_causal(mask: Float[Tensor, "context context"]) -> bool:
    above = torch.ones_like(mask, dtype=torch.bool).triu(1)
    return bool((mask[above] == -torch.inf).all())


def _shortened(model: Any, length: int) -> Any:
    """The model for texts of `length` tokens; weights are shared.

    A copy, since other threads encode with the model itself while this one does.
    """
    short = copy.copy(model)
    short._parameters = model._parameters | {"positional_embedding": model.positional_embedding[:length]}
    short._buffers = model._buffers | {"attn_mask": model.attn_mask[:length, :length]}
    return short
