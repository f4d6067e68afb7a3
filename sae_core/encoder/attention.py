"""Self-attention that stays fast under autocast.

PyTorch's `nn.MultiheadAttention` leaves its fast path where autocast is on, and what it takes instead is slower in
bf16 than fp32 is (3 pictures a second against 6 with ViT-B/16 on two cores; as below, 18).
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class OneProjection(nn.MultiheadAttention):
    """The same weights and results: queries, keys and values from one product, then PyTorch's own attention."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor, *args: Any, **named: Any) -> tuple[Tensor, Any]:
        """What nn.MultiheadAttention gives; it is asked itself for anything but plain self-attention."""
        asked = {name: given for name, given in named.items() if given is not None}
        plain = query is key and key is value and query.dim() == 3 and not self.training
        if plain and not args and asked == {"need_weights": False}:
            return self._attended(query), None
        return super().forward(query, key, value, *args, **named)

    def _attended(self, x: Float[Tensor, "n tokens width"]) -> Float[Tensor, "n tokens width"]:
        n, tokens, width = x.shape
        projected = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        heads = projected.view(n, tokens, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*heads)
        return self.out_proj(mixed.transpose(1, 2).reshape(n, tokens, width))  # type: ignore[no-any-return]


def project_at_once(tower: nn.Module) -> None:
    """Makes a tower's self-attention the above wherever it can be; weights, names and results stay."""
    for module in tower.modules():
        if type(module) is nn.MultiheadAttention and is_plain(module):
            module.__class__ = OneProjection


def is_plain(module: nn.MultiheadAttention) -> bool:
    """Whether it is attention of one width, batch first, without further biases or positions."""
    one_width = module.kdim == module.vdim == module.embed_dim
    return one_width and module.batch_first and module.bias_k is None and not module.add_zero_attn
