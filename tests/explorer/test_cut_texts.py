"""A text that is longer than what the encoder reads is told beside its box, on every page that takes texts."""

from __future__ import annotations

import pytest

from explorer.sections.texts import cut
from explorer.views.cut_texts import CutText
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE

LONG = "a lemon on a red table with a cup"  # the tests' encoder reads eight tokens, two of them marks
SAID = "it read the first 23 of 33 characters, up to “a lemon on a red table”."


@pytest.mark.parametrize(
    ("page", "params"),
    [
        ("latents", {"text": LONG}),
        ("spans", {"of": f"text:{LONG}"}),
        ("spans", {"of": "3", "with": LONG}),
        ("compare", {"a": LONG, "b": "3"}),
        ("compare", {"a": LONG, "b": LONG}),
        ("inspect", {"image": "3", "prompts": f"a lemon\n{LONG}"}),
    ],
)
def test_it_is_said_once_beside_the_box(shown: LatentStore, page: str, params: dict[str, str]) -> None:
    html = html_of(run_page(page, **params))
    assert html.count(SAID) == html.count("CLIP reads 8 tokens (pieces of words) of a text at most") == 1
    short = html_of(run_page(page, **{key: value.replace(LONG, "a lemon") for key, value in params.items()}))
    assert "CLIP reads" not in short


def test_several_are_one_sentence() -> None:
    said = cut([CutText("a" * 60, 30, 77), CutText(f"{HOSTILE} and more", len(HOSTILE), 77)])
    assert said.count("<p") == 1 and HOSTILE not in said
    assert f"the first 30 of 60 characters, up to “… {'a' * 24}”; the first {len(HOSTILE)} of" in said
    assert cut([]) == ""
