"""Latents beside controls: what is said of both, from tables whose answer is known."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from explorer.quality_charts import distribution_chart, distribution_csv
from explorer.sections import controls as sections
from explorer.sections import latent_side
from explorer.sections import quality as quality_sections
from explorer.views import control_rows
from explorer.views.control_rows import density_groups
from explorer.views.controls import build_controls
from explorer.views.latent import build_latent
from explorer.views.quality import build_quality
from explorer.views.report_card import reconstruction_warning, report_figures
from explorer.views.standing import among, standing, standing_of_effect
from sae_core import LatentStore
from sae_core.components import components_fvu
from sae_core.store.hidden import HideList
from sae_core.store.layout import ANALYSIS, CONTROL_KINDS, LATER_COLUMNS
from tests.explorer.conftest import html_of, run_page

UNTRAINED = {"random_fvu": None, "picture_fvu": None}  # not measured


class With:
    """A store with other tables or another report."""

    def __init__(self, store: LatentStore, **changed: Any) -> None:
        self._store = store
        self.__dict__ |= changed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def with_controls(store: LatentStore, latents: dict[str, Any], controls: dict[str, dict[str, Any]]) -> Any:
    """Both tables with these columns, a control of every kind for every latent; `controls` by kind."""
    every = store.controls
    assert every is not None
    unknown = dict.fromkeys(LATER_COLUMNS, np.nan)
    table = store.latents.assign(**{"n_active": 30, "density": 0.1, **unknown, **latents})
    row = every.iloc[0].to_dict() | unknown
    parts = [
        pd.DataFrame([row] * len(table)).assign(kind=kind, like_latent=range(len(table)), n_active=30, **columns)
        for kind, columns in controls.items()
    ]
    return With(store, latents=table, controls=pd.concat(parts, ignore_index=True))


def alike(columns: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The same for every kind."""
    return dict.fromkeys(CONTROL_KINDS, columns)


def test_names_that_pictures_bear_out_are_compared_by_themselves(store: LatentStore) -> None:
    """All names good; the latents' are carried by 3 of 12 pictures, those of controls by 2."""
    ours = {"name_good": True, "name_match": "clip", "name_carried": 3.0, "name_carried_by_chance": 0.0}
    row = rows_of(with_controls(store, ours, alike(ours | {"name_carried": 2.0})))[
        "with one that labels or captions bear out"
    ]
    assert row.latents == "100\u00a0%"
    assert {one.mean for one in row.against.values()} == {"0\u00a0%"}
    assert {one.verdict for one in row.against.values()} == {"higher"}


def rows_of(store: Any) -> dict[str, Any]:
    view = build_controls(store)
    assert view is not None
    return {row.name: row for row in view.rows}


def test_differences_are_of_pairs(store: LatentStore) -> None:
    """Every latent 0.05 above its own partner: certain, though both vary far more than that."""
    spread = np.linspace(0.1, 0.9, store.n_latents)
    theirs = {
        "covariance": {"monosemanticity": spread},
        "isotropic": {"monosemanticity": spread + 0.1},
        "latent": {"monosemanticity": spread + 0.05},
    }
    row = rows_of(with_controls(store, {"monosemanticity": spread + 0.05}, theirs))["monosemanticity"]
    assert (row.name, row.latents) == ("monosemanticity", "0.55")
    found = {kind: (one.mean, one.difference, one.verdict) for kind, one in row.against.items()}
    assert found == {
        "covariance": ("0.50", "+0.050 ±\u00a00.000", "higher"),
        "isotropic": ("0.60", "−0.050 ±\u00a00.000", "lower"),
        "latent": ("0.55", "0.000 ±\u00a00.000", "unclear"),
    }
    assert {one.n for one in row.against.values()} == {store.n_latents}


def test_bounds_are_students(store: LatentStore) -> None:
    """Differences of 0, 10, 0, 10, … points: 5 on average, with Student's quantile of so many."""
    n = store.n_latents
    ours = 0.4 + np.arange(n) % 2 / 10
    found = rows_of(with_controls(store, {"label_purity": ours}, alike({"label_purity": np.full(n, 0.4)})))
    half = stats.t.ppf(0.975, n - 1) * ours.std(ddof=1) / np.sqrt(n)
    assert found["label purity"].against["isotropic"].difference == f"+5.0 ±\u00a0{100 * half:.1f} points"


def test_a_difference_that_chance_gives_is_none(store: LatentStore) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0.5, 0.1, (2, store.n_latents))
    noise[1] += noise[0].mean() - noise[1].mean() + 0.002
    found = rows_of(with_controls(store, {"split_half": noise[0]}, alike({"split_half": noise[1]})))
    assert found["split-half stability"].against["covariance"].verdict == "unclear"


def test_a_pair_counts_where_both_have_the_figure(store: LatentStore) -> None:
    half = np.where(np.arange(store.n_latents) % 2, np.nan, 0.4)
    found = rows_of(with_controls(store, {"name_score": half}, alike({"name_score": half})))
    assert found["name score of the best candidate"].against["latent"].n == store.n_latents // 2
    found = rows_of(with_controls(store, {"name_score": half}, alike({"name_score": np.roll(half, 1)})))
    assert "name score of the best candidate" not in found


def test_few_good_names_beside_none_are_no_difference(store: LatentStore) -> None:
    """A mean of zeros and ones says that 4 of 96 are certain; pairs of yes and no do not."""
    few = np.arange(store.n_latents) < 4
    row = rows_of(with_controls(store, {"name_good": few}, alike({"name_good": False})))["with a good name"]
    assert row.against["covariance"].verdict == "unclear"
    many = np.arange(store.n_latents) < 30
    row = rows_of(with_controls(store, {"name_good": many}, alike({"name_good": False})))["with a good name"]
    assert row.against["covariance"].verdict == "higher"


def test_where_nothing_has_a_good_name_that_is_no_figure(store: LatentStore) -> None:
    half = np.full(store.n_latents, 0.5)
    mine = {"name_good": False, "split_half": half}
    found = rows_of(with_controls(store, mine, alike(mine)))
    assert "with a good name" not in found and "split-half stability" in found


def test_few_pairs_say_nothing(store: LatentStore) -> None:
    few = store.controls
    assert few is not None
    few = few[few["like_latent"].isin(few["like_latent"].unique()[:29])]
    assert build_controls(With(store, controls=few)) is None  # type: ignore[arg-type]


def test_groups_are_thirds_by_density(store: LatentStore) -> None:
    """Of 96 pairs the rarest 32 are lower, the most frequent 32 higher than their controls."""
    n = store.n_latents
    step = np.repeat([-0.1, 0.0, 0.1], n // 3)
    order = np.random.default_rng(2).permutation(n)
    mine = with_controls(store, {"split_half": np.full(n, 0.5)}, alike({"split_half": np.full(n, 0.5)}))
    mine.controls = mine.controls.assign(n_active=np.tile(np.repeat([5, 20, 80], n // 3)[order], 3))
    mine.latents = mine.latents.assign(split_half=0.5 + step[order])
    view = build_controls(mine)
    assert view is not None and view.groups == ("5 to 5", "20 to 20", "80 to 80")
    row = next(row for row in view.rows if row.name == "split-half stability")
    assert [one and one.verdict for one in row.by_density] == ["lower", "unclear", "higher"]
    assert row.against["covariance"].verdict == "unclear"
    beside = [[one.by_density[group] for one in view.rows] for group in range(3)]
    low, same, high = (sum(one is not None and one.verdict == "lower" for one in group) for group in beside)
    assert (low, same, high) == (2, 1, 1) and "first, they are lower in all; " in view.sentence
    assert len(density_groups(np.arange(89))) == 0
    assert [len(group) for group in density_groups(np.arange(91)[::-1])] == [31, 30, 30]
    html = sections.comparison(view)
    assert "by density" in html and html.count("20 to 20 pictures") == 1


@pytest.mark.parametrize(
    ("anywhere", "varied", "said"),
    [
        (-0.1, -0.1, ("higher in all", "higher in all")),
        (-0.1, 0.1, ("higher in all", "lower in all")),
        (0.0, 0.1, ("clearly different in none", "lower in all")),
    ],
)
def test_the_sentence_counts_verdicts(
    store: LatentStore, anywhere: float, varied: float, said: tuple[str, str]
) -> None:
    columns = ("monosemanticity", "split_half", "label_purity", "name_score")
    ours: dict[str, Any] = {name: np.full(store.n_latents, 0.5) for name in columns}
    ours["name_good"] = np.arange(store.n_latents) % 2 == 0

    def shifted(step: float) -> dict[str, Any]:
        good = ours["name_good"] if not step else np.full(store.n_latents, step > 0)
        return {**{name: ours[name] + step for name in columns}, "name_good": good}

    theirs = {"covariance": shifted(varied), "isotropic": shifted(anywhere), "latent": shifted(0)}
    view = build_controls(with_controls(store, ours, theirs))
    beside = f"the latents are {said[0]}; beside random directions with the pictures’ covariance, {said[1]}. It"
    assert view is not None and beside in view.sentence


def test_the_reconstruction_stands_beside_dictionaries_that_nobody_trained(store: LatentStore) -> None:
    def of(**figures: Any) -> Any:
        report = store.manifest.report.model_copy(update={"fvu": 0.1, **UNTRAINED, **figures})
        known = with_controls(store, {"split_half": 0.5}, alike({"split_half": 0.5}))
        known.manifest = store.manifest.model_copy(update={"report": report})
        return known

    view = build_controls(of(random_fvu=0.3, picture_fvu=0.2))
    n = store.n_latents
    assert view is not None and view.sentence.endswith(
        "an FVU of 0.100, perhaps on pictures that it was trained on; a dictionary of "
        f"{n} random pictures 0.200, one of {n} random directions 0.300, on pictures that are not in it."
    )
    alone = build_controls(of(random_fvu=0.3))
    assert alone is not None and alone.sentence.endswith(
        f"a dictionary of {n} random directions 0.300, on pictures that are not in it."
    )
    known = of(random_fvu=0.3)
    held_out = {"sae": store.manifest.sae.model_copy(update={"fvu_held_out": 0.25})}
    known.manifest = known.manifest.model_copy(update=held_out)
    trained = build_controls(known)
    assert trained is not None and "0.100 (0.250 of embeddings that its training held out); a" in trained.sentence
    definitions = [next(one for one in report_figures(one) if one.name == "FVU").definition for one in (known, store)]
    assert "held out it leaves 0.250." in definitions[0] and "whether these were is not known" in definitions[1]
    assert report_figures(known)[0].beside == "held out: 0.250 · random directions: 0.300"
    for figures, beside in (
        ({"random_fvu": 0.3, "picture_fvu": 0.2}, "random pictures: 0.200"),
        ({"random_fvu": 0.1, "picture_fvu": 0.2}, "random directions: 0.100"),
        ({}, "mean embedding: 1"),
    ):
        assert [one.beside for one in report_figures(of(**figures)) if one.name == "FVU"] == [beside]


def test_an_sae_that_memorised_its_pictures_is_warned_of(store: LatentStore) -> None:
    """On its own pictures it beats random directions, on those that its training held out it does not."""

    def of(fvu: float, held_out: float | None) -> str | None:
        known = with_controls(store, {"split_half": 0.5}, alike({"split_half": 0.5}))
        report = store.manifest.report.model_copy(update={"fvu": fvu, "random_fvu": 0.3})
        sae = store.manifest.sae.model_copy(update={"fvu_held_out": held_out})
        known.manifest = store.manifest.model_copy(update={"report": report, "sae": sae})
        return reconstruction_warning(known)

    assert of(0.1, None) is None and of(0.1, 0.29) is None
    memorised, unfit = of(0.1, 0.3), of(0.3, 0.5)
    assert memorised is not None and memorised.startswith("Of embeddings that its training held out the SAE leaves")
    assert "an FVU of 0.300, no less than" in memorised and "more pictures" in memorised
    assert unfit is not None and unfit.startswith("The SAE leaves an FVU of 0.300")


def test_how_many_different_things_are_found(store: LatentStore) -> None:
    """Purity and names count the same label again and again; these rows do not."""
    n = store.n_latents
    good = np.arange(n) < 8
    ours = {
        "name_good": good,
        "name": [f"n{number}" for number in range(n)],
        "top_label": ["a", "b", "c", "b"] * (n // 4),
    }
    theirs = {"name_good": good, "name": ["n1", "n2"] * (n // 2), "top_label": ["a"] * n}
    view = build_controls(with_controls(store, ours, alike(theirs)))
    assert view is not None
    names, label = view.variety
    assert (names.latents, names.controls["isotropic"]) == ("8 of 8", "2 of 8")
    assert (label.latents, label.controls["covariance"]) == ("b, 50\u00a0%", "a, 100\u00a0%")
    html = sections.comparison(view)
    assert html.count("<td>2 of 8</td>") == 3 and "different ones among good names" in html
    assert f"of {3 * len(view.rows)} such differences about one in twenty is chance" in html
    nothing = {"name_good": False, "top_label": None, "split_half": np.full(n, 0.5)}
    bare = build_controls(with_controls(store, nothing, alike(nothing)))
    assert bare is not None and not bare.variety


def test_some_are_higher_and_some_are_lower(store: LatentStore) -> None:
    above, below = np.full(store.n_latents, 0.9), np.full(store.n_latents, 0.1)
    ours = {"monosemanticity": above, "split_half": below, "label_purity": below, "name_score": below}
    theirs = {"monosemanticity": below, "split_half": above, "label_purity": above, "name_score": above}
    view = build_controls(with_controls(store, {**ours, "name_good": False}, alike({**theirs, "name_good": False})))
    assert view is not None and "Of 4\u00a0figures: beside isotropic random directions" in view.sentence
    assert "covariance, higher in 1, lower in 3." in view.sentence


def test_a_store_from_before_says_that_it_has_none(store: LatentStore) -> None:
    old = store.manifest.model_copy(update={"report": store.manifest.report.model_copy(update=UNTRAINED)})
    view = build_quality(With(store, controls=None, manifest=old))  # type: ignore[arg-type]
    assert view.controls is None and "which this store was built without" in quality_sections.introduction(view)
    assert [one.beside for one in view.figures if one.name == "FVU"] == ["mean embedding: 1"]
    assert [one.beside for one in view.figures if one.name == "with a good name"] == ["by chance: about 0"]
    assert not any(one.outlines for one in view.distributions)
    latent = int(store.latents["n_active"].argmax())
    older = build_latent(With(store, controls=None), latent)  # type: ignore[arg-type]
    assert not re.search(r"of \d+ random directions", latent_side.side(older))
    assert re.search(r"of \d+ random directions", latent_side.side(build_latent(store, latent)))


@pytest.mark.parametrize(("said", "older"), [(None, True), ("1", True), ("2", False), ("3", False), ("two", True)])
def test_controls_of_an_older_analysis_are_marked(store: LatentStore, said: str | None, older: bool) -> None:
    versions = {name: one for name, one in store.manifest.versions.items() if name != "analysis"}
    versions |= {} if said is None else {"analysis": said}
    n = store.n_latents
    mine = with_controls(store, {"split_half": np.full(n, 0.5)}, alike({"split_half": np.full(n, 0.5)}))
    mine.manifest = store.manifest.model_copy(update={"versions": versions})
    view = build_controls(mine)
    assert view and view.current is not older
    assert sections.comparison(view).count("recode STORE --out NEW") == older


def test_a_store_that_is_built_now_is_of_this_analysis(store: LatentStore) -> None:
    assert store.manifest.analysis == ANALYSIS == 2


def test_a_latent_stands_among_those_as_frequent(store: LatentStore) -> None:
    """70 of about its density with figures 0.00 … 0.69, and others far more frequent with 0.9."""
    n = 200
    figures = [*np.arange(70) / 100, *[0.9] * (n - 70)]
    directions = pd.DataFrame({"n_active": [20] * 64 + [29] * 6 + [31] * (n - 70), "split_half": figures})
    directions = pd.concat([directions.assign(kind="covariance"), directions.assign(kind="isotropic", split_half=1.0)])
    mine = With(store, latents=store.latents.assign(n_active=20, split_half=0.325), controls=directions)
    found = standing(mine, 3, "split_half")  # type: ignore[arg-type]
    assert found is not None
    assert (found.share_below, found.n, found.median) == (33 / 64, 64, pytest.approx(0.315))  # the nearest 64
    assert found.words == "above 52\u00a0% of 64"
    alone = With(store, latents=store.latents.assign(n_active=900, split_half=0.3), controls=directions)
    assert standing(alone, 3, "split_half") is None, "none is as frequent"  # type: ignore[arg-type]
    rare = With(
        store, latents=store.latents.assign(n_active=11, split_half=0.3), controls=directions.assign(n_active=11)
    )
    assert standing(rare, 3, "split_half") is None, "a figure of few pictures"  # type: ignore[arg-type]


def test_a_place_among_others(store: LatentStore) -> None:
    others = pd.DataFrame({"x": [*np.arange(16) / 100, 0.5, 0.5]})
    for value, share, words in (
        (0.7, 1, "above all 18"),
        (-0.1, 0, "above none of 18"),
        (0.5, 17 / 18, "above 94\u00a0% of 18"),
    ):
        found = among(others, "x", value)
        assert found is not None and (found.share_below, found.words) == (pytest.approx(share), words)
    assert among(others, "x", float("nan")) is None
    assert among(others[:15], "x", 0.5) is None


def test_an_effect_stands_among_all_of_them(store: LatentStore) -> None:
    table = store.controls
    assert table is not None
    z = table.loc[table["kind"] == "covariance", "effect_z"]
    found = standing_of_effect(store, float(z.median()) + 1e-9)
    assert found is not None and (found.n, found.median) == (len(z), pytest.approx(float(z.median())))


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
        if not one.outlines:
            assert one.key == "density" and not distribution_chart(one).layout.showlegend
            continue
        assert [outline.kind for outline in one.outlines] == ["covariance", "isotropic"]
        chart = distribution_chart(one)
        assert [trace.name for trace in chart.data] == ["latents", "random, as pictures vary", "random, isotropic"]
        assert chart.layout.showlegend and {trace.line.dash for trace in chart.data[1:]} == {"solid", "dot"}
        for outline, trace in zip(one.outlines, chart.data[1:], strict=True):
            assert sum(outline.counts) == pytest.approx(sum(one.counts))
            assert len(trace.x) == len(trace.y) == 2 * len(one.counts)
        assert "Random directions as frequent: median" in one.summary
        head, first = distribution_csv(one).splitlines()[:2]
        assert head.endswith(",latents,random_covariance,random_isotropic") and len(first.split(",")) == 5
        seen += 1
    assert seen >= 3


def test_the_page_shows_them(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_rows, "_MIN_PAIRS", 8)
    html = html_of(run_page("quality"))
    view = build_controls(shown)
    assert view is not None
    assert "Does it take an SAE?" in html and html.count('<th scope="row">') == (2 if view.groups else 1) * len(
        view.rows
    ) + len(view.variety)
    assert html.count(' role="img" aria-label="') >= 3 * len(view.rows)
    assert 'href="export/controls.csv" download' in html
    examples = [one for shown_of in view.examples.values() for one in shown_of]
    assert html.split('class="sp-pairs"')[0].count('class="sp-stripcard"') == len(examples) > 0
    assert all(0 < len(one.tiles) <= 8 for one in examples)


def test_pictures_that_are_withheld_are_not_shown(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_rows, "_MIN_PAIRS", 8)
    view = build_controls(store)
    assert view is not None
    image_id = view.examples["covariance"][0].tiles[0].image_id
    hidden = build_controls(LatentStore.open(store.path, hide=HideList(pictures=(image_id,))))
    assert hidden is not None
    tile = next(tile for tile in hidden.examples["covariance"][0].tiles if tile.image_id == image_id)
    assert tile.hidden and tile.src is None
