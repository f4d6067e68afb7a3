"""Texts through a text tower without their padding, and how much of them it reads.

A causal tower pools at a text's end, and what stands after it is never looked at: a word of three tokens gives the same
embedding in 5 places as in the 77 that it is padded to.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_CHARACTERS_PER_TOKEN = 16  # of a long word; what is longer is not looked at


class Tokenizer(Protocol):
    """As open_clip makes them: rows of tokens, cut or padded to the context length."""

    def __call__(self, texts: list[str], context_length: int | None = None) -> Int[Tensor, "n context"]:
        """Begins and ends every row with its marks."""
        ...


def characters_read(tokenizer: Tokenizer, texts: Sequence[str]) -> list[int]:
    """How many characters of each text, from its start, fit into the context length; all of one that is not cut."""
    counts = [len(text) for text in texts]
    if not texts or _are_cut(tokenizer, [""])[0]:  # something of its own stands at the end: cuts cannot be told
        return counts
    for at in _are_cut(tokenizer, list(texts)).nonzero().flatten().tolist():
        counts[at] = _longest_start(tokenizer, texts[at])
    return counts


def _longest_start(tokenizer: Tokenizer, text: str) -> int:
    """All starts are tried: half a word may take more tokens than the whole one."""
    most = min(len(text), _CHARACTERS_PER_TOKEN * tokenizer([""]).shape[1])
    cut = _are_cut(tokenizer, [text[:n] for n in range(most)])
    return int((~cut).nonzero().max())


def _are_cut(tokenizer: Tokenizer, texts: list[str]) -> Bool[Tensor, " n"]:
    """With room for one token more, a text that was cut has something else where its end was put."""
    tokens = tokenizer(texts)
    context = tokens.shape[1]
    return (tokenizer(texts, context_length=context + 1)[:, :context] != tokens).any(dim=1)


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
