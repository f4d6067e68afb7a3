"""Texts without their padding against open_clip's own, with it."""

from __future__ import annotations

import copy
from typing import Any

import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sae_core import ClipEncoder
from sae_core.encoder.texts import characters_read, encode_tokens
from tests.support.models import TINY_CLIP, make_tiny_clip

TEXTS = ("a lemon", "", "a very " * 60 + "long text", "lemon", "a photograph of a lemon on a table", "lemon, lemon")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> ClipEncoder:
    return ClipEncoder.load(make_tiny_clip(tmp_path_factory.mktemp("clip")))


class Lengths(torch.nn.Module):
    """Notes how many tokens pass a transformer."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer, self.seen = transformer, list[int]()

    def get_cast_dtype(self) -> torch.dtype:
        return self.transformer.get_cast_dtype()  # type: ignore[no-any-return]

    def forward(self, x: Tensor, attn_mask: Tensor) -> Tensor:
        self.seen.append(x.shape[1])
        return self.transformer(x, attn_mask=attn_mask)  # type: ignore[no-any-return]


@settings(max_examples=25)
@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=9), st.integers(1, 5))
def test_texts_in_any_order_are_open_clips_own(encoder: ClipEncoder, texts: list[str], batch_size: int) -> None:
    with torch.no_grad():
        theirs = encoder.model.encode_text(encoder.tokenizer(texts), normalize=True)
    torch.testing.assert_close(encoder.encode_texts(texts, batch_size), theirs, atol=1e-6, rtol=0)


def test_a_batch_is_as_short_as_its_longest_text(encoder: ClipEncoder) -> None:
    model = _tower()
    noted = model.transformer = Lengths(model.transformer)
    tokens = encoder.tokenizer(["a lemon", TEXTS[2], "lemon", "a lemon on a table"])
    n_tokens = (tokens != 0).sum(dim=1).tolist()
    assert n_tokens[1] == model.context_length, "the long one is cut"
    with torch.no_grad():
        encode_tokens(model, tokens, 2)
    assert noted.seen == [n_tokens[0], n_tokens[1]]


def test_the_model_itself_stays_as_it_is(encoder: ClipEncoder) -> None:
    before = {name: value.clone() for name, value in encoder.model.state_dict().items()}
    encoder.encode_texts(["a lemon"])
    after = encoder.model.state_dict()
    assert after.keys() == before.keys() and all(torch.equal(after[name], before[name]) for name in before)
    assert encoder.model.attn_mask.shape == (encoder.model.context_length,) * 2


def test_texts_that_are_pooled_at_a_token_of_their_own_are_short_too(encoder: ClipEncoder) -> None:
    tokens = encoder.tokenizer(["a lemon", "a lemon on a table"])
    model = _tower()
    model.text_pool_type, model.text_eos_id = "eos", int(tokens[0].max())
    noted = model.transformer = Lengths(model.transformer)
    with torch.no_grad():
        theirs = model.encode_text(tokens)
        torch.testing.assert_close(encode_tokens(model, tokens, 8), theirs, atol=1e-5, rtol=0)
    assert noted.seen == [tokens.shape[1], int((tokens[1] != 0).sum())]


@pytest.mark.parametrize("change", ["pooled at the last place", "looks both ways"])
def test_a_tower_that_may_look_at_the_padding_gets_it(encoder: ClipEncoder, change: str) -> None:
    model = _tower()
    if change == "looks both ways":
        model.attn_mask.zero_()
    else:
        model.text_pool_type = "last"
    tokens = encoder.tokenizer(["a lemon", "a lemon on a table", "lemon"])
    with torch.no_grad():
        assert torch.equal(
            encode_tokens(model, tokens, 2), torch.cat([model.encode_text(tokens[:2]), model.encode_text(tokens[2:])])
        )


def _tower() -> Any:
    torch.manual_seed(0)
    return open_clip.CLIP(**copy.deepcopy(TINY_CLIP)).eval()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ""),
        ("a lemon on a red table", "a lemon on a red table"),  # six tokens between start and end: all that fits
        ("a lemon on a red table!", "a lemon on a red table"),
        ("a lemon on a red table with a cup", "a lemon on a red table "),
        ("lemon " * 40, "lemon " * 6),
        ("柠檬" * 20, "柠檬"),  # pieces of characters: what is left of the third says nothing
    ],
)
def test_what_is_read_of_a_long_text(encoder: ClipEncoder, text: str, read: str) -> None:
    """By hand: the tiny encoder reads eight tokens, of which two are marks."""
    assert encoder.context_length == 8
    assert encoder.characters_read(["lemon", text]) == [5, len(read)]


@given(st.lists(st.sampled_from(("a", "lemon", "réd", "table!", "柠", "internationally")), max_size=14).map(" ".join))
@settings(max_examples=60)
def test_what_is_read_fits_and_no_character_more_does(encoder: ClipEncoder, text: str) -> None:
    tokenizer = open_clip.SimpleTokenizer()

    def n_tokens(some: str) -> int:
        return len(tokenizer.encode(some)) + 2

    (n,) = encoder.characters_read([text])
    assert n_tokens(text[:n]) <= 8
    assert (n == len(text)) == (n_tokens(text) <= 8)
    assert n == len(text) or n_tokens(text[: n + 1]) > 8


def test_a_tokenizer_that_ends_its_rows_itself_says_nothing_of_cuts() -> None:
    def tokenizer(texts: list[str], context_length: int | None = None) -> Tensor:
        rows = torch.zeros(len(texts), context_length or 8, dtype=torch.long)
        rows[:, -1] = 9
        return rows

    assert characters_read(tokenizer, ["a lemon " * 9]) == [72]
    assert characters_read(tokenizer, []) == []
