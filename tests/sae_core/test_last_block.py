"""The last block for the class token alone against open_clip's own tower, and where it steps aside."""

from __future__ import annotations

import copy

import open_clip
import pytest
import torch
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import nn

from benchmarks.vits import vit
from sae_core.encoder.attention import project_at_once
from sae_core.encoder.last_block import PooledTokenBlock, pool_alone

PIXELS = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def tower(**changes: object) -> VisionTransformer:
    """A vision transformer of two blocks, 17 tokens, every weight drawn."""
    torch.manual_seed(0)
    sizes = {"image_size": 8, "patch_size": 2, "width": 24, "layers": 2, "heads": 3, "mlp_ratio": 2.0, "output_dim": 6}
    made = VisionTransformer(**(sizes | changes)).eval().requires_grad_(False)  # type: ignore[arg-type]
    for value in made.parameters():
        nn.init.normal_(value, std=0.3)
    return made


def shortened(plain: VisionTransformer) -> VisionTransformer:
    ours = copy.deepcopy(plain)
    pool_alone(ours)
    assert type(ours.transformer.resblocks[-1]) is PooledTokenBlock
    assert type(ours.transformer.resblocks[0]) is ResidualAttentionBlock
    return ours


@pytest.mark.parametrize("kind", [{}, {"ls_init_value": 0.1}, {"final_ln_after_pool": True}, {"no_ln_pre": True}])
def test_embeddings_are_open_clips(kind: dict[str, object]) -> None:
    plain = tower(**kind)
    torch.testing.assert_close(shortened(plain)(PIXELS), plain(PIXELS))


def test_embeddings_are_open_clips_in_halves() -> None:
    """Rounded otherwise on the way, so they agree to a half's precision: 8 bits."""
    plain = tower()
    ours = shortened(plain)
    project_at_once(ours)
    with torch.autocast("cpu", torch.bfloat16):
        theirs, made = plain(PIXELS).float(), ours(PIXELS).float()
    assert torch.cosine_similarity(made, theirs).min() > 0.999


def test_gradients_are_open_clips() -> None:
    """Integrated gradients go through it."""
    plain = tower()
    found = []
    for each in (plain, shortened(plain)):
        pixels = PIXELS.clone().requires_grad_()
        each(pixels)[:, 0].sum().backward()
        found.append(pixels.grad)
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-5)


def test_the_last_block_works_on_one_token() -> None:
    """What is saved: its MLP sees one token a picture, not all 17."""
    seen: list[torch.Size] = []
    ours = shortened(tower())
    ours.transformer.resblocks[-1].mlp.register_forward_hook(lambda _m, given, _out: seen.append(given[0].shape))
    ours(PIXELS)
    assert seen == [torch.Size([5, 1, 24])]


def test_the_encoder_takes_it() -> None:
    """ViT-B/16 whole, as the reference checkpoint has it: open_clip's own embeddings."""
    encoder = vit()
    stock = open_clip.create_model("ViT-B-16-quickgelu").eval()
    stock.load_state_dict(encoder.model.state_dict())
    assert type(encoder.model.visual.transformer.resblocks[-1]) is PooledTokenBlock
    pixels = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8)
    with torch.no_grad():
        theirs = stock.encode_image(encoder.preprocessing.normalise(pixels), normalize=True)
    torch.testing.assert_close(encoder.encode_pixels(pixels), theirs, rtol=0, atol=1e-6)


def test_names_and_weights_stay() -> None:
    plain = tower()
    ours = shortened(plain).state_dict()
    assert list(ours) == list(plain.state_dict())
    assert all(torch.equal(ours[name], value) for name, value in plain.state_dict().items())


def test_a_mask_is_left_to_open_clip() -> None:
    """With a mask all tokens come out, as they do there."""
    plain = tower()
    block, theirs = shortened(plain).transformer.resblocks[-1], plain.transformer.resblocks[-1]
    x, mask = torch.randn(2, 7, 24), torch.full((7, 7), float("-inf")).triu(1)
    torch.testing.assert_close(block(x, attn_mask=mask), theirs(x, attn_mask=mask))


@pytest.mark.parametrize(
    "kind",
    [
        {"pool_type": "avg"},
        {"pool_type": "none"},
        {"output_tokens": True},
        {"attentional_pool": True, "attn_pooler_heads": 2},
        {"block_type": "custom"},
    ],
)
def test_towers_that_read_other_tokens_are_left_alone(kind: dict[str, object]) -> None:
    left = tower(**kind)
    pool_alone(left)
    assert not any(isinstance(block, PooledTokenBlock) for block in left.modules())
