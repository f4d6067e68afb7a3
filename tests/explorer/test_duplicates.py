"""Latents that are alike: nearest directions beside random dictionaries, and shared pictures beside chance."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.routes import routes
from explorer.views import latent_pairs as pairs_module
from explorer.views import nearest_directions as nearest_module
from explorer.views.duplicates import Duplicates, build_duplicates
from explorer.views.latent_pairs import closest_pairs, overlapping_pairs
from explorer.views.nearest_directions import nearest_directions
from explorer.views.quality import build_quality
from explorer.views.striking import MIN_PICTURES
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page


class _With:
    """A store with another attribute, under a name of its own."""

    def __init__(self, store: LatentStore, version: str, **other: Any) -> None:
        self._store, self.version = store, version
        self.__dict__.update(other)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def with_twins(store: LatentStore, a: int, b: int) -> Any:
    directions = np.array(store.directions)
    directions[b] = directions[a]
    return _With(store, f"twins {a} {b}", directions=directions)


def alive(store: LatentStore) -> np.ndarray:
    return np.flatnonzero(store.latents["n_active"] > 0)


def built(store: Any) -> Duplicates:
    view = build_duplicates(store)
    assert view is not None
    return view


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_nearest_direction_is_the_nearest(store: LatentStore) -> None:
    found = nearest_directions(store)
    assert found is not None
    rows = alive(store)
    cosines = store.directions[rows] @ store.directions[rows].T
    np.fill_diagonal(cosines, -np.inf)
    np.testing.assert_array_equal(found.latents, rows)
    np.testing.assert_allclose(found.cosines, cosines.max(1), atol=1e-5)
    np.testing.assert_allclose(cosines[np.arange(len(rows)), np.searchsorted(rows, found.nearest)], found.cosines)


def test_random_dictionaries_are_as_large_and_of_two_kinds() -> None:
    """In two dimensions one of which hardly varies, directions with the covariance lie closer than isotropic ones."""
    n = 200
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    d = 16
    directions = np.zeros((n, d), np.float32)
    directions[:, 0], directions[:, 1] = np.cos(angles), np.sin(angles)
    products = np.diag([100.0] * 4 + [1e-6] * (d - 4))[None]
    store: Any = SimpleNamespace(
        version="made up",
        latents=pd.DataFrame({"n_active": np.ones(n)}),
        directions=directions,
        mean_embedding=np.zeros(d),
        moments=SimpleNamespace(products=products),
        n_images=10,
    )
    found = nearest_directions(store)
    assert found is not None
    assert found.cosines == pytest.approx(np.cos(2 * np.pi / n), abs=1e-5)
    assert len(found.covariance) == len(found.isotropic) == n
    assert np.median(found.covariance) > np.median(found.isotropic) + 0.1


def test_of_many_latents_some_are_drawn_and_the_page_says_so(
    store: LatentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest_module, "_CELLS", 10 * len(alive(store)))
    view = built(_With(store, "drawn"))
    assert sum(view.chart.counts) == 10
    said = plain(view.chart.summary)
    assert said.startswith(f"Of 10 latents drawn from the {len(alive(store))} that are not dead: median cosine")
    assert "The closest two of these have" in said


def test_twins_are_found_and_counted(store: LatentStore) -> None:
    a, b = alive(store)[[3, 7]].tolist()
    view = built(with_twins(store, a, b))
    first = view.closest[0].pair
    assert first.latents == (a, b)
    assert first.cosine == pytest.approx(1, abs=1e-5)
    assert len({one.pair.latents for one in view.closest}) == len(view.closest), "each pair stands once"
    assert "2 latents (" in plain(view.chart.summary) and "have another above 0.9." in view.chart.summary


def test_where_there_are_none_it_says_so(store: LatentStore) -> None:
    directions = np.eye(store.n_latents, store.manifest.d_embed, dtype=np.float32)
    directions[store.manifest.d_embed :] = -directions[: max(store.n_latents - store.manifest.d_embed, 0)]
    view = built(_With(store, "apart", directions=directions))
    assert view.chart.summary.endswith("no latent has another above 0.9.")
    assert "The closest two have cosine" in view.chart.summary


def test_shared_pictures_are_those_of_the_galleries(store: LatentStore) -> None:
    sizes = store.latents["n_active"].to_numpy()
    pairs, _ = overlapping_pairs(store)
    assert pairs
    for pair in [*pairs, *(one.pair for one in built(store).closest)]:
        a, b = (set(store.gallery(latent, 0, int(sizes[latent])).image_ids.tolist()) for latent in pair.latents)
        assert pair.n_both == len(a & b)
        assert pair.jaccard == pytest.approx(len(a & b) / len(a | b))
    assert [pair.jaccard for pair in pairs] == sorted((pair.jaccard for pair in pairs), reverse=True)
    assert all(min(sizes[list(pair.latents)]) >= MIN_PICTURES for pair in pairs)


def test_of_many_pairs_that_overlap_all_are_counted_and_few_measured(
    store: LatentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 65,536 latents there may be 100,000 such pairs: 0.4 GB of directions."""
    monkeypatch.setattr(pairs_module, "OVERLAP", 0.0)
    measured: list[int] = []
    by_chance = store.together_by_chance
    counting = _With(
        store, "many", together_by_chance=lambda first, second: measured.append(len(first)) or by_chance(first, second)
    )
    pairs, n = overlapping_pairs(counting, 3)  # type: ignore[arg-type]
    together, sizes = store.coactive_pairs(), store.latents["n_active"].to_numpy()
    assert n == int((np.minimum(sizes[together.first], sizes[together.second]) >= MIN_PICTURES).sum()) > 4
    assert (len(pairs), measured) == (3, [3])
    assert f"{n:,} pairs share half or more" in plain(built(counting).overlap)


def test_chance_is_that_of_the_lift(store: LatentStore) -> None:
    pairs = store.coactive_pairs()
    some = next(latent for latent in range(store.n_latents) if len(store.coactive(latent).latents))
    named = store.coactive(some)
    of_all = dict(
        zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True), pairs.n_both.tolist(), strict=True)
    )
    for other, n_both, lift in zip(named.latents.tolist(), named.n_both.tolist(), named.lifts.tolist(), strict=True):
        assert of_all[min(some, other), max(some, other)] == n_both
        (expected,) = store.together_by_chance(np.array([some]), np.array([other]))
        assert n_both / expected == pytest.approx(lift, rel=1e-4)


def test_the_page_shows_the_pairs_side_by_side(shown: LatentStore) -> None:
    view = build_quality(shown)
    assert view.duplicates is not None
    html = html_of(run_page("quality"))
    pairs = (*view.duplicates.closest, *view.duplicates.overlapping)
    assert html.count('class="sp-pair"') == len(pairs) > 4
    a, b = view.duplicates.closest[0].pair.latents
    assert f'href="compare?a=latents:{a}&amp;b=latents:{b}"' in html
    assert f'href="latent?latent={a}"' in html
    assert view.figures[-1].name == "nearest direction"
    assert "Are latents duplicates of each other?" in html


def test_with_one_latent_alive_nothing_is_said(store: LatentStore) -> None:
    sizes = np.zeros(store.n_latents)
    sizes[5] = 20
    assert build_duplicates(_With(store, "one", latents=store.latents.assign(n_active=sizes))) is None  # type: ignore[arg-type]


def test_the_api_says_the_same(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(Starlette(routes=routes()), base_url="http://localhost")
    said = client.get("/api/duplicates?count=3").json()
    found = nearest_directions(shown)
    assert found is not None
    assert said["n_asked"] == len(found.latents)
    assert said["nearest_cosine"] == pytest.approx(float(np.median(found.cosines)))
    assert said["nearest_cosine_covariance"] == pytest.approx(float(np.median(found.covariance)))
    closest = closest_pairs(shown, found, 3)
    assert [tuple(one["latents"]) for one in said["closest"]] == [pair.latents for pair in closest]
    assert len(said["overlapping"]) == 3
