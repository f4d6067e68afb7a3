"""Latents in the order in which they tell a label's pictures from all others."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.recent import RecentArrays
from explorer.sections import pictures
from explorer.views import telling
from explorer.views.latents import LatentsPage, build_latents
from explorer.views.latents_query import LatentsQuery
from explorer.views.pictures import build_pictures
from explorer.views.pictures_query import PicturesQuery
from explorer.views.telling import phi, telling_ranking
from sae_core import LatentStore
from sae_core.errors import SparsightError
from tests.explorer.conftest import html_of, run_page


def commonest(store: LatentStore) -> tuple[int, str]:
    code = int(np.argmax(store.labels.counts))
    return code, store.labels.titles[code]


def asked(store: LatentStore, label: str) -> LatentsPage:
    return build_latents(store, LatentsQuery.from_params({"tells": label}))


def test_phi_is_the_correlation_of_two_columns(store: LatentStore) -> None:
    code, label = commonest(store)
    has = store.labels.codes == code
    scores = telling_ranking(store, label).scores
    for latent, score in enumerate(scores):
        active = np.zeros(store.n_images)
        active[store.gallery(latent).image_ids] = 1
        if active.any():
            assert score == pytest.approx(np.corrcoef(active, has)[0, 1], abs=1e-9)
        else:
            assert np.isnan(score)


def test_one_and_none_and_chance() -> None:
    n_both, n_active = np.array([10, 0, 1, 0]), np.array([10, 90, 10, 0])
    found = phi(n_both, n_active, 10, 100)
    assert found[:3].tolist() == pytest.approx([1, -1, 0])
    assert np.isnan(found[3])


def test_the_page_begins_with_the_best_and_says_what_chance_reaches(store: LatentStore) -> None:
    _, label = commonest(store)
    view = asked(store, label.upper())
    scores = telling_ranking(store, label).scores
    assert view.found[0].card.ref.latent == int(np.nanargmax(scores))
    assert view.paging.n_items == store.n_latents
    (ranking,) = view.rankings
    assert ranking.title == f"Which tell “{label}” from the rest"
    assert "one in twenty times the best latent has more than 0." in ranking.explanation
    assert [chip.text for chip in view.chips] == [f"tells label: {label.upper()}"]


def test_what_chance_reaches_is_drawn_once(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """6.5 million draws where there are 65,536 latents."""
    calls: list[int] = []
    drawn = telling._by_chance
    monkeypatch.setattr(telling, "_recent", RecentArrays(2**16))
    monkeypatch.setattr(telling, "_by_chance", lambda *asked: calls.append(1) or drawn(*asked))
    _, label = commonest(store)
    said = {asked(store, label).rankings[0].explanation for _ in range(3)}
    assert len(said) == len(calls) == 1


def test_what_chance_reaches_is_what_random_pictures_do(store: LatentStore) -> None:
    """Within what k latents a picture, which are not independent, and a hundred draws leave open."""
    n_active, n = store.latents["n_active"].to_numpy().astype(np.int64), 60
    latents, activations = store.codes(range(store.n_images))
    rng, best = np.random.default_rng(1), []
    for _ in range(400):
        some = rng.choice(store.n_images, n, replace=False)
        n_both = np.bincount(latents[some][activations[some] > 0], minlength=store.n_latents)
        best.append(np.nanmax(phi(n_both, n_active, n, store.n_images)))
    assert telling._by_chance(store, n_active, n) == pytest.approx(np.quantile(best, 0.95), rel=0.1)


def test_a_label_that_nothing_carries_is_said(store: LatentStore) -> None:
    with pytest.raises(SparsightError, match="no picture carries the label"):
        telling_ranking(store, "no such label")
    assert asked(store, "no such label").problems == (
        "There is nothing to tell apart: no picture carries the label “no such label”.",
    )


def test_a_labels_pictures_and_its_latents_lead_there(shown: LatentStore) -> None:
    _, label = commonest(shown)
    said = label.replace(" ", "+")
    assert f'href="latents?tells={said}">which latents tell it</a>' in pictures.conditions(
        build_pictures(shown, PicturesQuery.from_params({"label": label}))
    )
    there = f'href="latents?tells={said}">which tell it from the rest</a>'
    assert there in html_of(run_page("latents", label=label))
    html = html_of(run_page("latents", tells=label))
    assert there not in html and f'<input type="hidden" name="tells" value="{label}">' in html
