"""The report card: every figure from the store, against its baseline."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from explorer.quality_charts import distribution_chart
from explorer.views import random_purity as of_random
from explorer.views import report_card
from explorer.views.distributions import decade_bins, linear_bins
from explorer.views.latent import build_latent
from explorer.views.latent_gallery import GalleryQuery
from explorer.views.latents import build_latents
from explorer.views.latents_query import LatentsQuery
from explorer.views.quality import build_quality
from explorer.views.random_purity import random_purities, random_purity
from explorer.views.spreads import density
from explorer.views.striking import MIN_PICTURES
from explorer.wording import percent, plural
from sae_core import LatentStore
from sae_core.store.hidden import HideList
from tests.explorer.conftest import html_of, run_page


def shown_by(store: LatentStore, url: str) -> int:
    params = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    return build_latents(store, LatentsQuery.from_params(params)).paging.n_items


def test_every_figure_has_a_definition_and_a_baseline(store: LatentStore) -> None:
    view = build_quality(store)
    assert [one.name for one in view.figures][:5] == ["FVU", "cosine", "L0", "dead latents", "dense latents"]
    for one in view.figures:
        assert one.beside
        assert "aseline" in one.definition
        assert "{" not in one.definition
    for chart in view.distributions:
        assert "aseline" in chart.definition
        assert "{" not in chart.definition + chart.summary
        assert np.isfinite(chart.baseline)


def test_links_lead_to_the_latents_that_are_counted(store: LatentStore) -> None:
    figures = {one.name: one for one in build_quality(store).figures}
    report = store.manifest.report
    assert report.n_dead > 0
    assert shown_by(store, figures["dead latents"].url or "") == report.n_dead
    assert shown_by(store, figures["dense latents"].url or "") == report.n_dense
    good = int((store.latents["name_good"] & (store.latents["n_active"] > 0)).sum())
    assert shown_by(store, figures["with a good name"].url or "") == good


def test_every_latent_that_has_the_figure_is_in_a_bin(store: LatentStore) -> None:
    charts = {one.key: one for one in build_quality(store).distributions}
    assert set(charts) >= {"density", "monosemanticity", "split_half", "label_purity"}
    alive = store.latents[store.latents["n_active"] > 0]
    for key, chart in charts.items():
        assert sum(chart.counts) == alive[key].notna().sum(), key
        assert len(chart.edges) == len(chart.counts) + 1


def test_the_ends_are_the_ends(store: LatentStore) -> None:
    latents = store.latents
    for chart in build_quality(store).distributions:
        enough = latents[(latents["n_active"] >= MIN_PICTURES) & latents[chart.key].notna()][chart.key]
        if chart.highest:
            assert enough[chart.highest[0].ref.latent] == enough.max()
            assert enough[chart.lowest[0].ref.latent] == enough.min()
        numbers = [one.ref.latent for one in (*chart.highest, *chart.lowest)]
        assert len(set(numbers)) == len(numbers), "no latent stands at both ends"


def test_bins() -> None:
    edges, counts = linear_bins(pd.Series([-0.2, 0.0, 0.5, 1.0, 1.0000001]), 0.0, 1.0)
    assert (edges[0], edges[-1], sum(counts)) == (0.0, 1.0, 5)
    assert (counts[0], counts[-1]) == (2, 2)
    edges, counts = decade_bins(pd.Series([1.0, 0.1, 1 / 4554]), 1 / 4554)
    assert (edges[0], edges[-1], sum(counts)) == (-4, 0, 3)
    edges, counts = decade_bins(pd.Series([1.0]), 1.0)  # a store of a single picture
    assert sum(counts) == 1


def test_how_many_lie_above_is_counted_not_rounded(store: LatentStore) -> None:
    charts = {one.key: one for one in build_quality(store).distributions}
    values = store.latents["split_half"].dropna()
    n_above = int((values > store.manifest.report.split_half_baseline).sum())
    assert f"; {n_above} of {len(values)}" in charts["split_half"].summary.replace("\u00a0", " ")


def a_store(sizes: list[int], counts: list[int], n_images: int) -> Any:
    labels = SimpleNamespace(counts=np.array(counts))
    latents, version = pd.DataFrame({"n_active": sizes}), f"{sizes} {counts} {n_images}"
    return SimpleNamespace(latents=latents, labels=labels, n_images=n_images, path="made-up", version=version)


def test_purity_of_random_galleries() -> None:
    assert random_purity(a_store([1, 1], [50, 50], 100)) == 1, "one picture is always pure"
    assert random_purity(a_store([100, 0], [90, 10], 100)) == pytest.approx(0.9), "all pictures, and none of them twice"
    assert random_purity(a_store([100], [45, 5], 100)) == pytest.approx(0.9), "of the labelled half"
    assert np.isnan(random_purity(a_store([5], [], 100)))
    assert np.isnan(random_purity(a_store([0], [5], 100)))


def test_what_takes_long_is_computed_once_a_store(small_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a thousand labels and 512 dimensions each of the two takes seconds, which every page would wait for."""
    once = LatentStore.open(small_store)
    once.version = "of this test alone"
    computed: list[str] = []

    def counted(module: Any, name: str) -> None:
        computes = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *said: (computed.append(name), computes(*said))[1])

    counted(report_card, "components_fvu")
    counted(of_random, "_purities")
    for _ in range(2):
        build_quality(once)
        build_latent(once, int(once.latents["n_active"].idxmax()), GalleryQuery())
    assert sorted(computed) == ["_purities", "components_fvu"]


def test_each_gallery_is_held_against_random_ones_of_its_size() -> None:
    found = random_purities(a_store([0, 1, 2, 40, 100], [50, 50], 100))
    assert np.isnan(found[0]) and found[1] == 1
    assert found[2] == pytest.approx(0.75, abs=0.03), "both of one label in half of the draws"
    assert 0.5 < found[3] < found[2]
    assert found[4] == pytest.approx(0.5), (
        "all pictures: of thirty in three labels alike a draw with replacement had 0.43"
    )


def test_purity_counts_those_above_their_own_baseline(store: LatentStore) -> None:
    chart = next(one for one in build_quality(store).distributions if one.key == "label_purity")
    alive = store.latents["n_active"].to_numpy() > 0
    above = int((store.latents["label_purity"].to_numpy() > random_purities(store))[alive].sum())
    which = f"; {above:,} of {plural(int(alive.sum()), 'latent')} lie above the baseline of their own gallery’s size ("
    assert which in chart.summary


def test_half_of_the_latents_are_as_rare_as_is_said(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most are active in one picture: not half, but none is active in fewer than that."""
    rare = store.latents.assign(density=np.where(np.arange(store.n_latents) % 3, 1 / store.n_images, 0.5), n_active=1)
    monkeypatch.setitem(vars(store), "latents", rare)
    chart = density(store)
    assert chart is not None
    assert chart.summary.endswith(f"active in {percent(1 / store.n_images)} of the pictures or fewer.")


def test_withheld_latents_are_not_counted_as_dead(store: LatentStore) -> None:
    alive = np.flatnonzero(store.latents["n_active"])[:2].tolist()
    plain, hiding = (density(one) for one in (store, LatentStore.open(store.path, hide=HideList(latents=tuple(alive)))))
    assert plain and hiding
    n_dead = plural(int((store.latents["n_active"] == 0).sum()), "dead latent")
    assert plain.summary.startswith(f"{n_dead} cannot") and hiding.summary.startswith(f"{n_dead} cannot")


def test_charts_say_what_they_are(store: LatentStore) -> None:
    for one in build_quality(store).distributions:
        chart = distribution_chart(one)
        assert chart.layout.xaxis.title.text == one.axis
        assert "log" in chart.layout.yaxis.title.text
        assert sum(chart.data[0].y) == sum(one.counts)
        assert one.baseline_words in chart.layout.annotations[0].text
        line = chart.layout.shapes[0].x0
        assert (10**line if one.log else line) == pytest.approx(one.baseline)


def test_the_page(shown: LatentStore) -> None:
    app = run_page("quality")
    html = html_of(app)
    n = len(build_quality(shown).distributions)
    assert len(app.get("plotly_chart")) == n + 1, "and that of the nearest directions"
    assert html.count('class="sp-ends"') == n + 1
    assert 'href="latents?life=dead"' in html
    assert "DINOv2" in html
    assert 'href="quality"' in html_of(run_page("home"))


def test_a_store_without_labels_and_names(store: LatentStore) -> None:
    bare = store.latents.assign(label_purity=np.nan, name_score=np.nan, top_label=None, name=None, name_good=False)
    view = build_quality(_Without(store, bare))
    assert [one.key for one in view.distributions] == ["density", "monosemanticity", "split_half"]


def test_a_store_whose_latents_are_all_dead(store: LatentStore) -> None:
    dead = store.latents.assign(n_active=0, density=0.0, monosemanticity=np.nan, split_half=np.nan, name_good=False)
    view = build_quality(_Without(store, dead))
    assert [one.key for one in view.distributions] == []


class _Without:
    """A store with another table."""

    def __init__(self, store: LatentStore, latents: pd.DataFrame) -> None:
        self._store, self.latents = store, latents

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_the_index_s_recall_is_shown_to_a_tenth_where_it_was_measured(store: LatentStore) -> None:
    def shown(recall: float | None) -> list[str]:
        report = store.manifest.report.model_copy(update={"nearest_recall": recall})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "manifest", store.manifest.model_copy(update={"report": report}))
            return [one.value for one in build_quality(store).figures if one.name == "nearest pictures found"]

    assert store.manifest.report.nearest_recall == 1.0
    assert shown(0.9968) == ["99.7 %"]
    assert shown(None) == []
