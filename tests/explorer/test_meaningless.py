"""Compare's control of words: meaningless strings in their place, against plain loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from explorer.compare_charts import parts_csv
from explorer.sections.compare import answer
from explorer.sections.shared_latents import lists
from explorer.turns import BusyError
from explorer.views import meaningless
from explorer.views.chance import EmbedTexts, strings
from explorer.views.compare import Comparison, build_comparison
from explorer.views.random_cosines import RandomCosines
from explorer.views.resolved import resolve
from explorer.views.selection import read_selection
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaningless, "_recent", type(meaningless._recent)(1 << 20))


def tower(store: LatentStore, known: dict[str, int]) -> EmbedTexts:
    """Knows some words, which are pictures of the store; strings are anywhere."""
    rng = np.random.default_rng(4)
    noise = {text: rng.normal(size=store.manifest.d_embed).astype(np.float32) for text in strings()}
    return lambda texts: [store.embedding(known[text]) if text in known else noise[text] for text in texts]


def compared(store: LatentStore, a: str, b: str, embed: EmbedTexts | None, centred: bool | None = None) -> Comparison:
    read = [read_selection(store, said) for said in (a, b)]
    known = tower(store, {"word": 3, "other": 17})
    sides = [resolve(store, one, lambda text: known([text])[0], None) for one in read if one]
    return build_comparison(store, *sides, centred, embed)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(("a", "b", "side"), [("text:word", "label:red things", "a"), ("3", "text:word", "b")])
def test_the_control_is_what_meaningless_strings_have(
    store: LatentStore, a: str, b: str, side: str, centred: bool
) -> None:
    embed = tower(store, {})
    (found,) = compared(store, a, b, embed, centred).meaningless
    x = store.embeddings(range(store.n_images)).astype("f8")
    mean = x.mean(0) * centred
    others = [3] if b == "text:word" else np.flatnonzero(store.labels.codes == store.labels.names.index("red things"))
    other, active = x[others].mean(0) - mean, {int(one) for image in others for one in store.code(int(image)).latents}
    cosines, shared = [], []
    for embedding in embed(strings()):
        nearest = np.argsort(-(x @ embedding))[: store.n_images // 10]
        y = x[nearest].mean(0) - mean
        cosines.append(y @ other / np.linalg.norm(y) / np.linalg.norm(other))
        shared.append(len(active & {int(one) for image in nearest for one in store.code(int(image)).latents}))
    assert found.side == side
    assert found.cosine == pytest.approx((np.median(cosines), np.quantile(cosines, 0.95)), abs=1e-6)
    assert found.n_both == pytest.approx((np.median(shared), np.quantile(shared, 0.95)))


def test_each_side_that_is_words_has_its_own_control(store: LatentStore) -> None:
    embed = tower(store, {})
    both = compared(store, "text:word", "text:other", embed)
    assert [one.side for one in both.meaningless] == ["a", "b"]
    assert compared(store, "3", "label:red things", embed).meaningless == ()
    assert compared(store, "text:word", "3", None).meaningless == ()


def test_strings_are_encoded_once_for_a_store(store: LatentStore) -> None:
    asked: list[Sequence[str]] = []

    def counted(texts: Sequence[str]) -> Sequence[np.ndarray]:
        asked.append(texts)
        return tower(store, {})(texts)

    first, second = (compared(store, "text:word", other, counted) for other in ("3", "17"))
    assert len(asked) == 1 and first.meaningless != second.meaningless


def test_a_busy_encoder_costs_only_the_control(store: LatentStore) -> None:
    def busy(_: Sequence[str]) -> Sequence[np.ndarray]:
        raise BusyError("64 others are waiting for the encoder; try again in a minute")

    view = compared(store, "text:word", "3", busy)
    assert view.meaningless == () and "meaningless" not in answer(view)


def test_words_that_are_no_better_are_told(store: LatentStore) -> None:
    """All strings where the word is: whatever random pictures have, the words have no more than these."""
    alike = compared(store, "text:word", "image:3,4", lambda texts: [store.embedding(3) for _ in texts])
    assert alike.cosine == pytest.approx(alike.meaningless[0].cosine.high)
    alike = replace(alike, cosine=alike.meaningless[0].cosine.median, chance=RandomCosines(-0.1, -0.4, 0.3))
    assert "A’s words have no more than that." in answer(alike)
    apart = replace(alike, cosine=alike.cosine + 0.01)
    assert "nearest to a meaningless string of letters, instead of A’s words" in answer(apart)
    assert "no more than that" not in answer(apart)
    assert "Meaningless strings instead of A’s words share" in lists(apart)
    assert "meaningless_strings_for_a_median" in parts_csv(apart)


def test_the_page_says_it_of_words_alone(shown: LatentStore) -> None:
    said = "nearest to a meaningless string of letters"
    assert said in html_of(run_page("compare", a="text:red things", b="label:green things"))
    assert said not in html_of(run_page("compare", a="label:red things", b="label:green things"))
