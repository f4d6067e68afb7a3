"""The last block of a vision transformer for the one token that is pooled.

CLIP's embedding is read at the class token. In the last block the other tokens are looked at, through their keys and
values, but what becomes of themselves nobody reads: of that block's products 10 in 12 are saved, with the same result.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F

from sae_core.encoder.attention import is_plain


class PooledTokenBlock(ResidualAttentionBlock):  # type: ignore[misc]
    """The same weights; of its tokens only the first comes out."""

    def forward(self, q_x: Tensor, *others: Any, **named: Any) -> Tensor:
        """What open_clip's block makes of token 0, [n 1 width]; it is asked itself for anything but plain attention."""
        if self.training or others or any(given is not None for given in named.values()):
            return super().forward(q_x, *others, **named)  # type: ignore[no-any-return]
        x = q_x[:, :1] + self.ls_1(self._first_attended(self.ln_1(q_x)))
        return x + self.ls_2(self.mlp(self.ln_2(x)))  # type: ignore[no-any-return]

    def _first_attended(self, x: Float[Tensor, "n tokens width"]) -> Float[Tensor, "n 1 width"]:
        attn: nn.MultiheadAttention = self.attn
        n, tokens, width = x.shape
        weight, bias = attn.in_proj_weight, attn.in_proj_bias
        query = F.linear(x[:, :1], weight[:width], bias[:width]).view(n, 1, attn.num_heads, attn.head_dim)
        both = F.linear(x, weight[width:], bias[width:]).view(n, tokens, 2, attn.num_heads, attn.head_dim)
        mixed = F.scaled_dot_product_attention(query.transpose(1, 2), *both.permute(2, 0, 3, 1, 4))
        return attn.out_proj(mixed.transpose(1, 2).reshape(n, 1, width))  # type: ignore[no-any-return]


def pool_alone(tower: nn.Module) -> None:
    """Makes a vision tower's last block the above if only its class token is read; weights and names stay."""
    if not isinstance(tower, VisionTransformer) or not _reads_class_token_only(tower):
        return
    last = tower.transformer.resblocks[-1]
    if type(last) is ResidualAttentionBlock and not hasattr(last, "ln_1_kv") and is_plain(last.attn):
        last.__class__ = PooledTokenBlock


def _reads_class_token_only(tower: VisionTransformer) -> bool:
    return tower.pool_type == "tok" and tower.attn_pool is None and not tower.output_tokens
