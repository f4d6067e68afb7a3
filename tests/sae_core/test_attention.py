"""Attention in one projection against PyTorch's own, and where it steps aside."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from sae_core.encoder.attention import OneProjection, project_at_once


def tower(**changes: object) -> nn.ModuleDict:
    torch.manual_seed(0)
    return nn.ModuleDict({"attn": nn.MultiheadAttention(24, 3, **({"batch_first": True} | changes))}).eval()  # type: ignore[arg-type]


def both(x: torch.Tensor, **asked: object) -> tuple[torch.Tensor, torch.Tensor]:
    """What PyTorch's module gives, and ours of the same weights."""
    theirs = tower()
    for value in theirs.parameters():
        nn.init.normal_(value)
    ours = copy.deepcopy(theirs)
    project_at_once(ours)
    assert isinstance(ours["attn"], OneProjection)
    with torch.no_grad():
        return theirs["attn"](x, x, x, **asked)[0], ours["attn"](x, x, x, **asked)[0]


def test_self_attention_is_pytorchs() -> None:
    theirs, ours = both(torch.randn(5, 7, 24), need_weights=False, attn_mask=None)
    torch.testing.assert_close(ours, theirs)


def test_masked_self_attention_is_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks are the library's work: with them ours must not be asked, or they would be lost."""
    monkeypatch.setattr(OneProjection, "_attended", lambda *_: pytest.fail("a mask was lost"))
    mask = torch.full((7, 7), float("-inf")).triu(1)
    theirs, ours = both(torch.randn(5, 7, 24), need_weights=False, attn_mask=mask)
    torch.testing.assert_close(ours, theirs)


def test_cross_attention_and_weights_are_pytorchs() -> None:
    plain = tower()
    ours = copy.deepcopy(plain)
    project_at_once(ours)
    x, y = torch.randn(2, 5, 24), torch.randn(2, 9, 24)
    torch.testing.assert_close(ours["attn"](x, y, y, need_weights=False)[0], plain["attn"](x, y, y)[0])
    weights = ours["attn"](x, x, x)[1]
    torch.testing.assert_close(weights, plain["attn"](x, x, x)[1])
    assert weights.shape == (2, 5, 5)


def test_names_and_weights_stay() -> None:
    plain = tower()
    ours = copy.deepcopy(plain)
    project_at_once(ours)
    assert {name: value.tolist() for name, value in ours.state_dict().items()} == {
        name: value.tolist() for name, value in plain.state_dict().items()
    }


@pytest.mark.parametrize("odd", [{"kdim": 8}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"batch_first": False}])
def test_other_kinds_of_attention_are_left_alone(odd: dict[str, object]) -> None:
    left = tower(**odd)
    project_at_once(left)
    assert type(left["attn"]) is nn.MultiheadAttention
