"""Latents beside random directions: what is said of both, from tables whose answer is known."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer.quality_charts import distribution_chart, distribution_csv
from explorer.sections import latent_side
from explorer.sections import quality as sections
from explorer.views.latent import build_latent
from explorer.views.quality import build_quality
from explorer.views.random_directions import build_random_directions
from explorer.views.standing import among, standing
from sae_core import LatentStore
from sae_core.components import components_fvu
from sae_core.store.hidden import HideList
from tests.explorer.conftest import html_of, run_page


class With:
    """A store with other tables or another report."""

    def __init__(self, store: LatentStore, **changed: Any) -> None:
        self._store = store
        self.__dict__ |= changed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def with_random(store: LatentStore, latents: dict[str, Any], random: dict[str, Any]) -> Any:
    """Both tables with these columns, a random direction for every latent."""
    directions = store.random_directions
    assert directions is not None
    table = store.latents.assign(n_active=30, density=0.1, **latents)
    row = directions.iloc[0]
    rows = pd.DataFrame([row.to_dict() for _ in range(len(table))]).assign(like_latent=range(len(table)), n_active=30)
    return With(store, latents=table, random_directions=rows.assign(**random))


def rows_of(store: Any) -> dict[str, Any]:
    view = build_random_directions(store)
    assert view is not None
    return {row.name: row for row in view.rows}


def test_differences_are_of_pairs(store: LatentStore) -> None:
    """Every latent 0.05 above its own partner: certain, though both vary far more than that."""
    spread = np.linspace(0.1, 0.9, store.n_latents)
    found = rows_of(with_random(store, {"monosemanticity": spread + 0.05}, {"monosemanticity": spread}))
    row = found["monosemanticity"]
    assert (row.latents, row.random, row.difference) == ("0.55", "0.50", "+0.050")
    assert (row.interval, row.verdict, row.n) == ("+0.050 to +0.050", "higher", store.n_latents)
    found = rows_of(with_random(store, {"label_purity": spread}, {"label_purity": spread + 0.1}))
    row = found["label purity"]
    assert (row.difference, row.interval) == ("−10.0\u00a0points", "−10.0 to −10.0")
    assert row.verdict == "lower"


def test_a_difference_that_chance_gives_is_none(store: LatentStore) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0.5, 0.1, (2, store.n_latents))
    noise[1] += noise[0].mean() - noise[1].mean()
    found = rows_of(with_random(store, {"split_half": noise[0]}, {"split_half": noise[1]}))
    assert found["split-half stability"].verdict == "no clear difference"


def test_a_pair_counts_where_both_have_the_figure(store: LatentStore) -> None:
    half = np.where(np.arange(store.n_latents) % 2, np.nan, 0.4)
    found = rows_of(with_random(store, {"name_score": half}, {"name_score": np.roll(half, 0)}))
    assert found["name score of the best candidate"].n == store.n_latents // 2
    found = rows_of(with_random(store, {"name_score": half}, {"name_score": np.roll(half, 1)}))
    assert "name score of the best candidate" not in found


@pytest.mark.parametrize(
    ("step", "said"),
    [(0.1, "in every one of these figures"), (-0.1, "in none of these figures"), (0.0, "in none of these figures")],
)
def test_the_sentence_counts_what_is_above(store: LatentStore, step: float, said: str) -> None:
    columns = ("monosemanticity", "split_half", "label_purity", "name_score")
    ours = {name: np.full(store.n_latents, 0.5 + step) for name in columns}
    theirs = {name: np.full(store.n_latents, 0.5) for name in columns}
    view = build_random_directions(
        with_random(store, {**ours, "name_good": step > 0}, {**theirs, "name_good": step < 0})
    )
    assert view is not None and said in view.sentence
    report = store.manifest.report
    assert report.random_fvu is not None
    assert ("What the SAE does better" in view.sentence) == (report.fvu < report.random_fvu)


def test_some_are_above_and_some_are_not(store: LatentStore) -> None:
    above, below = np.full(store.n_latents, 0.9), np.full(store.n_latents, 0.1)
    ours = {"monosemanticity": above, "split_half": below, "label_purity": below, "name_score": below}
    theirs = {"monosemanticity": below, "split_half": above, "label_purity": above, "name_score": above}
    view = build_random_directions(with_random(store, {**ours, "name_good": False}, {**theirs, "name_good": False}))
    assert view is not None and "above random directions in monosemanticity, and not in the other" in view.sentence


def test_a_store_from_before_says_that_it_has_none(store: LatentStore) -> None:
    old = store.manifest.model_copy(update={"report": store.manifest.report.model_copy(update={"random_fvu": None})})
    view = build_quality(With(store, random_directions=None, manifest=old))  # type: ignore[arg-type]
    assert view.random is None and "which this store was built without" in sections.introduction(view)
    assert [one.beside for one in view.figures if one.name == "FVU"] == ["mean embedding: 1"]
    assert [one.beside for one in view.figures if one.name == "with a good name"] == ["by chance: about 0"]
    assert not any(one.random for one in view.distributions)
    latent = int(store.latents["n_active"].argmax())
    older = build_latent(With(store, random_directions=None), latent)  # type: ignore[arg-type]
    assert not re.search(r"of \d+ random directions", latent_side.side(older))
    assert re.search(r"of \d+ random directions", latent_side.side(build_latent(store, latent)))


def test_a_latent_stands_among_those_as_frequent(store: LatentStore) -> None:
    """64 of a density with figures 0.00 … 0.63, and others far more frequent with 0.9."""
    n = 200
    directions = pd.DataFrame(
        {"n_active": [20] * 64 + [900] * (n - 64), "split_half": [*np.arange(64) / 100, *[0.9] * (n - 64)]}
    )
    table = store.latents.assign(n_active=20, split_half=0.325)
    mine = With(store, latents=table, random_directions=directions)
    found = standing(mine, 3, "split_half")  # type: ignore[arg-type]
    assert found is not None
    assert (found.share_below, found.n, found.median) == (33 / 64, 64, pytest.approx(0.315))
    assert found.words == "above 52\u00a0% of 64"
    best, worst = (among(mine, "split_half", value, 20) for value in (0.7, -0.1))  # type: ignore[arg-type]
    assert best is not None and best.words == "above all 64"
    assert worst is not None and worst.words == "above none of 64"
    everywhere = among(mine, "split_half", 0.7)  # type: ignore[arg-type]
    assert everywhere is not None and everywhere.n == n
    assert among(mine, "split_half", float("nan"), 20) is None  # type: ignore[arg-type]
    assert among(mine, "split_half", 0.7, 0) is None  # type: ignore[arg-type]
    few = With(store, latents=table, random_directions=directions[:15])
    assert standing(few, 3, "split_half") is None  # type: ignore[arg-type]


def test_components_are_those_of_the_centred_embeddings(store: LatentStore) -> None:
    x = store.embeddings(range(store.n_images)).astype(np.float64)
    values = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2
    for k in (0, 3, 500):
        found = components_fvu(x.mean(0), x.T @ x, len(x), k)
        assert found == pytest.approx(values[k:].sum() / values.sum(), abs=1e-9)
    assert np.isnan(components_fvu(x[0], np.outer(x[0], x[0]), 1, 2))


def test_charts_outline_as_many_random_directions(store: LatentStore) -> None:
    seen = 0
    for one in build_quality(store).distributions:
        if not one.random:
            assert one.key == "density" and not distribution_chart(one).layout.showlegend
            continue
        assert sum(one.random) == pytest.approx(sum(one.counts))
        chart = distribution_chart(one)
        assert chart.data[1].name == "as many random directions" and chart.layout.showlegend
        assert len(chart.data[1].x) == len(chart.data[1].y) == 2 * len(one.counts)
        assert "Random directions as frequent: median" in one.summary
        head, first = distribution_csv(one).splitlines()[:2]
        assert head.endswith(",latents,random_directions_scaled") and len(first.split(",")) == 4
        seen += 1
    assert seen >= 3


def test_the_page_shows_them(shown: LatentStore) -> None:
    html = html_of(run_page("quality"))
    view = build_random_directions(shown)
    assert view is not None
    assert "Does it take an SAE?" in html and html.count('<th scope="row">') == len(view.rows)
    assert 'href="export/random_directions.csv" download' in html
    assert html.count('class="sp-stripcard"') == len(view.examples) > 0
    for example in view.examples:
        assert 0 < len(example.tiles) <= 8


def test_pictures_that_are_withheld_are_not_shown(store: LatentStore) -> None:
    view = build_random_directions(store)
    assert view is not None
    image_id = view.examples[0].tiles[0].image_id
    hidden = build_random_directions(LatentStore.open(store.path, hide=HideList(pictures=(image_id,))))
    assert hidden is not None
    tile = next(tile for tile in hidden.examples[0].tiles if tile.image_id == image_id)
    assert tile.hidden and tile.src is None
