"""Whether bf16 is worth it on this processor: measured, for its instructions do not say it.

With the same AVX-512 instructions for bf16 one processor is twice as fast in bf16, another takes twice as long.
"""

from __future__ import annotations

import time

import torch

_SHAPE = (394, 768, 3072)  # tokens of two pictures, the width of ViT-B/16 and of its hidden layer
_ROUNDS = 5


def bf16_gain() -> float:
    """How many times as fast as in fp32 a layer's product is: the best of a few each, in turns; takes half a second."""
    taken: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for _ in range(_ROUNDS):
        for dtype, seconds in taken.items():
            seconds.append(product_seconds(dtype))
    full, half = (min(seconds) for seconds in taken.values())
    return full / half


def product_seconds(dtype: torch.dtype) -> float:
    """Seconds of one product."""
    tokens, width, hidden = _SHAPE
    x, weight = torch.ones(tokens, width, dtype=dtype), torch.ones(hidden, width, dtype=dtype)
    with torch.no_grad():
        began = time.perf_counter()
        torch.nn.functional.linear(x, weight)
        return time.perf_counter() - began
