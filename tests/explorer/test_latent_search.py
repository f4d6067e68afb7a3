"""Ranking latents by a text and by a picture, and the page with everything combined."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from html import escape
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from explorer import models
from explorer.sections import latents as sections
from explorer.views.by_meaning import build_by_meaning
from explorer.views.chance import Against, EmbedTexts, best_z, chance, strings
from explorer.views.latent_table import latent_table
from explorer.views.latents import PER_PAGE, build_latents
from explorer.views.latents_matching import matching
from explorer.views.latents_query import LatentsQuery
from sae_core import ClipEncoder, LatentStore
from sae_core.errors import EncoderError
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE


def some_text(store: LatentStore) -> np.ndarray:
    rng = np.random.default_rng(5)
    embedding = rng.normal(size=store.manifest.d_embed).astype(np.float32)
    return embedding / np.linalg.norm(embedding)


@pytest.mark.parametrize(("by", "against"), [("", "centroids"), ("directions", "directions")])
def test_a_text_ranks_by_its_cosines(store: LatentStore, by: str, against: str) -> None:
    embedding = some_text(store)
    scores = store.text_scores(embedding, against)  # type: ignore[arg-type]
    view = build_latents(store, LatentsQuery(text="anything", by=by), lambda texts: [embedding for _ in texts])
    shown = [found.card.ref.latent for found in view.found]
    known = np.isfinite(scores)
    best_first = sorted(np.flatnonzero(known), key=lambda latent: -scores[latent])[:PER_PAGE]
    assert shown[: len(best_first)] == best_first, "those without a centroid come last"
    assert len(shown) == min(PER_PAGE, store.n_latents)
    assert view.sorts[""] == "best match"
    best = view.found[0].scores[0]
    assert best.value.replace("−", "-") == f"{scores[shown[0]]:.3f}"
    assert best.z == pytest.approx((scores[shown[0]] - scores[known].mean()) / scores[known].std(), rel=1e-4)
    assert view.rankings[0].mean == pytest.approx(scores[known].mean(), rel=1e-4)


def words_and_noise(store: LatentStore, known: str) -> EmbedTexts:
    """A text tower that knows one word, which lies on a latent's direction; all else it puts close to one place."""
    rng, nowhere = np.random.default_rng(3), some_text(store)

    def embed(text: str) -> np.ndarray:
        place = store.directions[7] if text == known else nowhere + 0.05 * rng.normal(size=len(nowhere))
        found: np.ndarray = (place / np.linalg.norm(place)).astype(np.float32)
        return found

    return lambda texts: list(map(embed, texts))


def test_a_text_without_a_meaning_is_told_from_a_word(store: LatentStore) -> None:
    embed = words_and_noise(store, "red")
    for text, stands_out in (("red", True), ("qwxzzy", False)):
        view = build_latents(store, LatentsQuery(text=text, by="directions"), embed)
        assert view.rankings[0].stands_out is stands_out
        html = sections.summary(view)
        assert ("Nothing stands out" in html) is not stands_out
        assert "For meaningless strings of letters the best match has z" in html
        assert ('class="sp-caution" role="status"' in html) is not stands_out and "sp-refused" not in html
        assert (", within what one in twenty meaningless strings reach." in html) is not stands_out


@pytest.mark.parametrize("against", ["centroids", "directions"])
def test_the_control_is_the_best_match_of_meaningless_strings(store: LatentStore, against: Against) -> None:
    rng = np.random.default_rng(0)
    embeddings = {text: rng.normal(size=store.manifest.d_embed).astype(np.float32) for text in strings()}
    found = chance(store, against, list(embeddings.values()))
    best = []
    for x in embeddings.values():
        scores = [float(score) for score in store.text_scores(x, against) if not np.isnan(score)]
        mean = sum(scores) / len(scores)
        deviation = (sum((score - mean) ** 2 for score in scores) / len(scores)) ** 0.5
        best.append((max(scores) - mean) / deviation)
    assert found.typical == pytest.approx(np.median(best), rel=1e-4)
    assert sum(z > found.high for z in best) == len(best) // 20 + 1 == 13
    assert len(set(strings())) == len(strings()) == len(best)


def test_several_texts_wait_for_the_encoder_once(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real, turns = models.encoder_in_turn, []

    def counted(of: LatentStore) -> AbstractContextManager[ClipEncoder]:
        turns.append(of)
        return real(of)

    monkeypatch.setattr(models, "encoder_in_turn", counted)
    texts = ["one text", "another one", "one text"]
    first, second, again = models.embed_texts(store, texts)
    assert len(turns) == 1 and first is again
    alone = store.load_encoder().encode_texts(texts[:2]).numpy()
    np.testing.assert_allclose([first, second], alone, atol=1e-5)
    assert not first.flags.writeable
    assert models.embed_text(store, "another one") is second and len(turns) == 1
    models.embed_texts(store, ["one text", "a third"])
    assert len(turns) == 2


def test_without_scores_there_is_no_best() -> None:
    assert np.isnan(best_z(np.array([np.nan, np.nan]))) and np.isnan(best_z(np.array([0.5, 0.5, np.nan])))
    assert best_z(np.array([1.0, 0.0, 0.0, np.nan])) == pytest.approx(2**0.5)


def no_encoder(_: Sequence[str]) -> list[np.ndarray]:
    raise EncoderError("the encoder demo cannot be loaded: no network")


def test_an_order_that_is_asked_for_wins_over_the_match(store: LatentStore) -> None:
    view = build_latents(
        store, LatentsQuery(text="anything", sort="number"), lambda texts: [some_text(store) for _ in texts]
    )
    assert [found.card.ref.latent for found in view.found] == list(range(PER_PAGE))
    assert all(found.scores for found in view.found)


def test_without_the_encoder_words_still_work(store: LatentStore) -> None:
    asked = LatentsQuery(text="anything", life="alive")
    view = build_latents(store, asked, no_encoder)
    assert view.problems == ("Searching by meaning is not possible: the encoder demo cannot be loaded: no network.",)
    plain = build_latents(store, replace(asked, text=""))
    assert [found.card for found in view.found] == [found.card for found in plain.found]
    assert view.rankings == ()


def test_words_that_nothing_says_are_looked_for_by_meaning(store: LatentStore) -> None:
    asked = LatentsQuery(q="qwxzzy", life="alive", sort="rare", image=3, by="directions")
    embed = words_and_noise(store, "qwxzzy")
    view = build_by_meaning(store, asked, embed)
    assert view is not None
    there = LatentsQuery.from_params(dict(parse_qsl(urlsplit(view.href).query)))
    assert there == LatentsQuery(text="qwxzzy", life="alive", by="directions")
    page = build_latents(store, there, embed)
    assert view.found == page.found[:3] and view.n_found == page.paging.n_items
    html = sections.by_meaning(view)
    assert html.count('class="sp-card"') == html.count("sp-line sp-score") == 3
    assert escape(view.href) in html and f"all {view.n_found} by meaning" in html
    assert "For meaningless strings of letters the best match has z" in html and "Nothing stands out" not in html
    noise = build_by_meaning(store, asked, words_and_noise(store, "red"))
    assert noise is not None and "Nothing stands out" in sections.by_meaning(noise)


def test_without_the_encoder_or_any_latent_the_link_is_the_only_way_out(store: LatentStore) -> None:
    assert build_by_meaning(store, LatentsQuery(q="tiger"), no_encoder) is None
    nothing = LatentsQuery(q="tiger", latents=(store.n_latents,))
    assert build_by_meaning(store, nothing, words_and_noise(store, "tiger")) is None


def test_a_picture_ranks_by_its_pre_activations(store: LatentStore) -> None:
    view = build_latents(store, LatentsQuery(image=11))
    code = store.code(11)
    assert [found.card.ref.latent for found in view.found][: len(code.latents)] == code.latents.tolist()
    marked = {found.card.ref.latent for found in view.found if found.scores[0].active}
    assert marked == set(code.latents.tolist())
    assert view.rankings[0].picture is not None
    assert view.rankings[0].picture.image_id == 11


def test_no_such_example_picture(store: LatentStore) -> None:
    view = build_latents(store, LatentsQuery(image=store.n_images))
    assert "0 … 179" in view.problems[0]
    assert view.paging.n_items == store.n_latents


# The page


def test_everything_combines_on_the_page(shown: LatentStore) -> None:
    html = html_of(run_page("latents", q="things", life="alive", min="0.01", sort="rare", text="red", image="3"))
    filters = LatentsQuery(q="things", life="alive", min="0.01", sort="rare")
    expected = matching(latent_table(shown), filters).tolist()
    assert expected
    positions = [html.index(f'class="sp-nine" href="latent?latent={latent}"') for latent in expected[:PER_PAGE]]
    assert positions == sorted(positions)
    for said in ("“things” ×", "alive only ×", "density ≥", "meaning: “red” ×", "picture 3 ×", "clear all"):
        assert said in html.replace("\u00a0", " ")
    assert "Nearest in meaning to “red”" in html
    assert "Baseline: " in html
    assert '<input type="hidden" name="image" value="3">' in html
    assert '<option value="rare" selected>' in html


def test_meaning_needs_the_encoder_only(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object, reference: str | None) -> None:
        raise EncoderError("the encoder cannot be loaded")

    monkeypatch.setattr(LatentStore, "load_encoder", fails)
    models._encoder.clear()
    html = html_of(run_page("latents", text="a text that nobody asked for", q="red"))
    assert "Searching by meaning is not possible: the encoder cannot be loaded; SPARSIGHT_ENCODER=FOLDER says" in html
    assert 'class="sp-card"' in html


def test_nothing_found_shows_what_is_found_by_meaning(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    html = html_of(run_page("latents", q="an unheard-of animal"))
    assert html.index("Nothing found") < html.index("Found by meaning")
    assert html.count('class="sp-card"') == 3
    assert f"all {shown.n_latents} by meaning" in html

    def fails(_: object, reference: str | None) -> None:
        raise EncoderError("the encoder cannot be loaded")

    monkeypatch.setattr(LatentStore, "load_encoder", fails)
    models._encoder.clear()
    html = html_of(run_page("latents", q="another unheard-of animal"))
    assert 'href="latents?text=another+unheard-of+animal"' in html
    assert "Found by meaning" not in html
    assert "Searching by meaning is not possible: the encoder cannot be loaded; SPARSIGHT_ENCODER=FOLDER says" in html


def test_texts_are_embedded_once(shown: LatentStore) -> None:
    first = models.embed_text(shown, "a red picture")
    assert models.embed_text(shown, "a red picture") is first
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert not first.flags.writeable


def test_a_chosen_set_on_the_page(shown: LatentStore) -> None:
    html = html_of(run_page("latents", latents="7,3,12"))
    positions = [html.index(f'class="sp-nine" href="latent?latent={latent}"') for latent in (7, 3, 12)]
    assert positions == sorted(positions)
    assert html.count('class="sp-card"') == 3
    assert "as listed" in html


@pytest.mark.parametrize("name", ["q", "label", "text"])
def test_what_is_asked_stays_text(shown: LatentStore, name: str) -> None:
    html = html_of(run_page("latents", **{name: HOSTILE, "life": "alive"}))
    assert "alert(1)" in html
    assert "<script" not in html
    assert "<img src=x" not in html


def test_inspect_leads_to_the_ranking(shown: LatentStore) -> None:
    assert 'href="latents?image=7"' in html_of(run_page("inspect", image="7"))
