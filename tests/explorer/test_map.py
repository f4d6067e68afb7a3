"""The map: every point where the store has it, coloured by what the menu says."""

from __future__ import annotations

import base64
import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import notes
from explorer.routes import routes
from explorer.sections import map as sections
from explorer.views.collection import ListQuery
from explorer.views.map import LISTED, build_map
from explorer.views.map_colors import N_LABELS, Groups, Scale, coloring, definition
from explorer.views.map_points import bits, group_places, point_bytes, point_size
from explorer.views.map_query import COLORS, MapQuery
from explorer.views.tips import build_tip
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE


class Altered:
    """A store with another table."""

    def __init__(self, store: LatentStore, latents: pd.DataFrame) -> None:
        self._store, self.latents, self.n_latents = store, latents, len(latents)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def points(store: Any, color: str = "") -> np.ndarray:
    data = point_bytes(store, color)
    assert data is not None
    return np.frombuffer(data, dtype="<f4").reshape(-1, 3)


def config_of(html: str) -> dict[str, Any]:
    found = re.search(r'data-map="([^"]*)"', html)
    assert found
    config: dict[str, Any] = json.loads(unescape(found.group(1)))
    return config


def test_query_says_what_it_was_asked() -> None:
    asked = {"color": "mono", "q": "red fruit", "latent": "12", "view": "-1,2.5,3,4"}
    query = MapQuery.from_params(asked)
    assert (query.color, query.q, query.latent, query.view) == ("mono", "red fruit", 12, (-1, 2.5, 3, 4))
    assert query.params == asked
    assert MapQuery.from_params(query.params) == query
    assert query.url() == "map?latent=12&color=mono&q=red+fruit&view=-1,2.5,3,4"
    assert query.at(3).url() == "map?latent=3&color=mono&q=red+fruit", "another middle, another view"


@pytest.mark.parametrize(
    "bad",
    [
        {"color": "heat"},
        {"latent": "-1"},
        {"latent": "x"},
        {"view": "1,2,3"},
        {"view": "1,1,2,2"},
        {"view": "nan,1,2,3"},
        {"box": "1,2,3"},
        {"box": "inf,1,2,3"},
        {"lasso": "0,0,1,1"},
        {"lasso": "0,0,1,1,2"},
        {"lasso": "0,0,1,1,nan,2"},
        {"lasso": ",".join(["1"] * 402)},
    ],
)
def test_bad_values_count_as_absent(bad: dict[str, str]) -> None:
    assert MapQuery.from_params(bad) == MapQuery()


def test_a_selection_goes_along(store: LatentStore) -> None:
    for said in ("box=-1.5,2,3,4.25", "lasso=0,0,1,0.5,-2,3"):
        name, value = said.split("=")
        query = MapQuery.from_params({name: value, "q": "red", "latent": "7"})
        assert query.left_out == () and query.url().endswith(f"&{said}")
        view = build_map(store, query)
        assert view is not None and view.matched is not None and view.chosen is not None
        for address in (view.matched.without, view.chosen.without, view.chosen.near[0].href):
            assert said in address
        assert f'<input type="hidden" name="{name}" value="{value}">' in sections.bar(view)
        without = build_map(store, MapQuery.from_params({"q": "red", "latent": "7"}))
        assert without is not None and sections.plane(view) == sections.plane(without), "the map is not drawn anew"


def test_what_the_map_leaves_out_of_the_address_is_said() -> None:
    asked = {"color": "xyz", "view": "1,2", "latent": "abc", "lasso": "1,2"}
    assert set(MapQuery.from_params(asked).left_out) == {"color=xyz", "latent=abc", "view=1,2", "lasso=1,2"}
    assert MapQuery.from_params({"latent": "#7", "view": "0,1,0,1"}).left_out == ()


@pytest.mark.parametrize("said", ["#12", "12", " # 12 "])
def test_a_number_among_the_words_is_a_latent(said: str) -> None:
    assert MapQuery.from_params({"q": said, "latent": "3"}) == MapQuery(latent=12)


def test_points_lie_where_the_store_has_them(store: LatentStore) -> None:
    found = points(store)
    assert len(found) == store.n_latents
    np.testing.assert_array_equal(found[:, :2], store.latents[["x", "y"]].to_numpy(dtype=np.float32))


def test_density_is_logarithmic_and_the_dead_have_no_colour(store: LatentStore) -> None:
    values, density = points(store)[:, 2], store.latents["density"].to_numpy()
    np.testing.assert_array_equal(np.isnan(values), density == 0)
    alive = density > 0
    low, high = np.log10(np.quantile(density[alive], (0, 1)))
    assert values[alive].min() == 0
    assert values[alive].max() == 1
    order = np.argsort(density[alive], kind="stable")
    assert (np.diff(values[alive][order]) >= 0).all()
    middle = np.abs(np.log10(density[alive]) - (low + high) / 2).argmin()
    assert 0.2 < values[alive][middle] < 0.8, "by the logarithm, not by the density"


@pytest.mark.parametrize("color", [color for color in COLORS if color != "label"])
def test_a_figure_goes_from_low_to_high(store: LatentStore, color: str) -> None:
    column = store.latents[COLORS[color][1]].to_numpy(dtype=float)
    values = points(store, color)[:, 2]
    assert coloring(store, color) is not None
    known = np.isfinite(column) & (store.latents["n_active"].to_numpy() > 0)
    np.testing.assert_array_equal(np.isfinite(values), known)
    assert (np.diff(values[known][np.argsort(column[known])]) >= 0).all()
    assert "aseline" in definition(store, color)
    assert "{" not in definition(store, color)


def test_labels_are_groups(store: LatentStore) -> None:
    groups = coloring(store, "label")
    assert isinstance(groups, Groups)
    counts = store.latents["top_label"].value_counts()
    assert len(groups.names) == min(N_LABELS, len(counts))
    assert list(groups.counts) == counts.to_list()[:N_LABELS]
    values = points(store, "label")[:, 2]
    for code, (name, n) in enumerate(zip(groups.names, groups.counts, strict=True)):
        assert (values == code).sum() == n
        assert (store.latents["top_label"][values == code] == name).all()


def test_the_baseline_stands_on_the_scale(store: LatentStore) -> None:
    scale = coloring(store, "score")
    assert isinstance(scale, Scale)
    assert (scale.baseline is None) == (not scale.low <= 0.5 <= scale.high)
    activation = coloring(store, "activation")
    assert isinstance(activation, Scale)
    assert activation.baseline is None


def test_the_mark_on_the_scale_is_named_beside_it(shown: LatentStore) -> None:
    scale = coloring(shown, "")
    assert isinstance(scale, Scale) and scale.baseline
    assert f"<s></s>baseline {scale.baseline[1]}</span>" in html_of(run_page("map"))
    assert "baseline" not in html_of(run_page("map", color="activation")).partition("sp-legend")[2].partition("</p>")[0]


def test_a_list_that_is_cut_says_how_many_are_left(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "LISTED", 2)
    matched = build_map(shown, MapQuery.from_params({"q": "e"})).matched
    assert matched and matched.n > 2
    assert f"{matched.n - 2} more than these 2" in html_of(run_page("map", q="e"))


@pytest.mark.parametrize(("lowest", "on_it"), [(0.4, True), (0.6, False)])
def test_what_lies_beyond_the_scale_is_said_and_marked_nowhere(
    store: LatentStore, monkeypatch: pytest.MonkeyPatch, lowest: float, on_it: bool
) -> None:
    scores = np.full(store.n_latents, lowest)
    scores[store.n_latents // 2 :] = 0.9
    scores[0], scores[-1] = lowest - 0.3, 1.0
    monkeypatch.setattr(store, "latents", store.latents.assign(name_score=scores, n_active=1), raising=False)
    scale = coloring(store, "score")
    assert isinstance(scale, Scale)
    place = (0.5 - scale.low) / (scale.high - scale.low)
    assert scale.baseline == ((pytest.approx(place), "0.50") if on_it else None)
    assert [text[:2] for _, text in scale.ticks] == ["≤ ", "0.", "≥ "]


def test_a_group_is_named_where_there_is_most_of_it() -> None:
    rng = np.random.default_rng(0)
    plane = rng.uniform(-1, 1, (4000, 2)).astype(np.float32)
    codes = np.full(4000, -1)
    there = (np.abs(plane - 0.5) < 0.2).all(1)
    codes[there] = 0
    codes[rng.random(4000) < 0.1] = 1  # everywhere
    places = group_places(plane, Groups(codes, ("gathered", "everywhere"), (1, 1)))
    assert [name for name, _, _ in places] == ["gathered"]
    assert places[0][1:] == pytest.approx((0.5, 0.5), abs=0.2)


def test_bits() -> None:
    assert bits(np.array([], dtype=int), 20) == ""
    data = base64.b64decode(bits(np.array([0, 9, 17]), 20))
    assert [i for i in range(20) if data[i >> 3] >> (i & 7) & 1] == [0, 9, 17], "as static/map.js reads them"


def test_many_points_are_small() -> None:
    sizes = [point_size(n) for n in (1, 1536, 4096, 65_536, 10**7)]
    assert sizes == sorted(sizes, reverse=True)
    assert 2 < sizes[-1] < sizes[2] < 7 == sizes[1]


def test_the_latent_in_the_middle(store: LatentStore) -> None:
    view = build_map(store, MapQuery(latent=7))
    assert view is not None
    assert view.chosen is not None
    assert view.around is not None
    x0, x1, y0, y1 = view.around
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(store.latents.loc[7, ["x", "y"]].tolist(), abs=1e-4)
    similar = store.similar_latents(7, len(view.chosen.near))
    assert [one.row.ref.latent for one in view.chosen.near] == similar.ids.tolist()
    assert [one.cosine for one in view.chosen.near] == pytest.approx(similar.similarities.tolist())


def test_a_latent_that_is_not_there(store: LatentStore) -> None:
    view = build_map(store, MapQuery(latent=store.n_latents))
    assert view is not None
    assert view.chosen is None
    assert f"0 … {store.n_latents - 1}" in (view.problem or "")


def test_words_mark_what_the_grid_finds(store: LatentStore) -> None:
    label = str(store.latents["top_label"].dropna().iloc[0])
    view = build_map(store, MapQuery(q=label))
    assert view is not None
    assert view.matched is not None
    assert set(np.flatnonzero(store.latents["top_label"] == label)) <= set(view.marked.tolist())
    assert view.matched.n == len(view.marked)
    assert [row.ref.latent for row in view.matched.rows] == view.marked[:LISTED].tolist()
    listed = ListQuery.from_params(dict(parse_qsl(urlsplit(view.matched.listed).query)))
    assert listed.latents == tuple(view.marked.tolist()) and listed.title == label
    assert "open as list" in sections.panel(view)
    nothing = build_map(store, MapQuery(q="no such word"))
    assert nothing is not None
    assert "No latent with" in sections.panel(nothing) and "open as list" not in sections.panel(nothing)


def test_no_map_without_places(store: LatentStore) -> None:
    for latents in (
        store.latents.drop(columns=["x", "y"]),
        store.latents.assign(x=np.float32(0), y=np.float32(0)),
        store.latents.assign(x=np.nan),
    ):
        altered: Any = Altered(store, latents)
        assert build_map(altered, MapQuery()) is None
        assert point_bytes(altered, "") is None


def test_a_figure_that_no_latent_has(store: LatentStore) -> None:
    altered: Any = Altered(store, store.latents.assign(monosemanticity=np.nan))
    view = build_map(altered, MapQuery(color="mono"))
    assert view is not None
    assert "mono" not in view.colors
    assert np.isnan(points(altered, "mono")[:, 2]).all()
    assert "no latent has this figure" in sections.bar(view)


def test_a_store_whose_latents_are_all_dead(store: LatentStore) -> None:
    dead = store.latents.assign(
        n_active=0, density=0.0, max_activation=np.float32(0), top_label=None, label_purity=np.nan, name_score=np.nan
    )
    altered: Any = Altered(store, dead)
    for color in COLORS:
        view = build_map(altered, MapQuery(color=color))
        assert view is not None
        assert np.isnan(points(altered, color)[:, 2]).all(), color
        sections.bar(view), sections.plane(view)


@pytest.fixture
def client(shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("SPARSIGHT_NOTES", str(tmp_path / "notes.sqlite"))
    return TestClient(Starlette(routes=routes()), base_url="http://localhost")


def test_points_are_cached_for_ever(client: TestClient, shown: LatentStore) -> None:
    answer = client.get(f"/points/{shown.version}?color=label")
    assert answer.status_code == 200
    assert answer.content == point_bytes(shown, "label")
    assert "immutable" in answer.headers["cache-control"]


OFF = """points/000000000000 points/{v}?color=heat tip/000000000000/1 tip/{v}/96 tip/{v}/-1 tip/{v}/x tip/{v}/%C2%B2
refs/{v} refs/{v}?latents=1,x refs/{v}?latents=1,96 refs/000000000000?latents=1"""


@pytest.mark.parametrize("path", OFF.split())
def test_anything_off_is_404(client: TestClient, shown: LatentStore, path: str) -> None:
    answer = client.get("/" + path.format(v=shown.version))
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_the_card(client: TestClient, shown: LatentStore) -> None:
    latent = int(shown.latents["n_active"].idxmax())
    tip = client.get(f"/tip/{shown.version}/{latent}").json()
    assert tip["latent"] == latent
    assert tip["text"].startswith(f"#{latent} · ")
    ids = shown.gallery(latent, 0, 9).image_ids.tolist()
    assert [picture["src"] for picture in tip["pictures"]] == [f"thumb/{shown.version}/{i}" for i in ids]
    assert {name for name, _ in tip["figures"]} >= {"strongest", "label purity", "monosemanticity"}
    dead = int(shown.latents["n_active"].idxmin())
    assert shown.latents.loc[dead, "n_active"] == 0
    empty = client.get(f"/tip/{shown.version}/{dead}").json()
    assert empty["dead"]
    assert empty["pictures"] == []


def test_a_new_name_is_seen_at_once(client: TestClient, shown: LatentStore) -> None:
    first = client.get(f"/tip/{shown.version}/5")
    tag = {"If-None-Match": first.headers["etag"]}
    assert client.get(f"/tip/{shown.version}/5", headers=tag).status_code == 304
    assert "no-cache" in first.headers["cache-control"]
    notes.note_book(shown).save(5, "zebra crossings", "", 0)
    again = client.get(f"/tip/{shown.version}/5", headers=tag)
    assert again.status_code == 200
    assert "zebra crossings" in again.json()["text"]
    refs = client.get(f"/refs/{shown.version}?latents=9,5").json()
    assert [ref["latent"] for ref in refs] == [9, 5]
    assert "zebra crossings" in refs[1]["text"]


def test_what_is_listed_has_its_strongest_pictures(client: TestClient, shown: LatentStore) -> None:
    """One of fewer pictures, and a dead one, do not take the next one's."""
    dead = int(shown.latents["n_active"].idxmin())
    often, few = int(shown.latents["n_active"].idxmax()), np.flatnonzero(shown.latents["n_active"].between(1, 2))
    latents = [often, dead, *few[:2].tolist(), 9]
    assert shown.gallery_size(dead) == 0 and len(few) and shown.gallery_size(often) > 3
    said = client.get(f"/refs/{shown.version}?latents={','.join(map(str, latents))}").json()
    for latent, ref in zip(latents, said, strict=True):
        ids = shown.gallery(latent, 0, 3).image_ids.tolist()
        assert ref["pictures"] == [f"thumb/{shown.version}/{image_id}" for image_id in ids]
    html = html_of(run_page("map", q=str(shown.latents.at[often, "top_label"])))
    first = f"thumb/{shown.version}/{shown.gallery(often, 0, 1).image_ids[0]}"
    assert f'href="latent?latent={often}" tabindex="-1" aria-hidden="true"><img src="{first}"' in html


def test_the_page(shown: LatentStore) -> None:
    html = html_of(run_page("map", color="label", latent="7", q="red"))
    config = config_of(html)
    assert config["points"] == f"points/{shown.version}?color=label"
    assert config["chosen"] == 7
    assert config["steps"]
    assert 'value="label" selected' in html
    assert 'value="red"' in html
    assert 'href="latent?latent=7"' in html
    assert 'href="map" aria-current=page' in html


def test_hostile_texts_stay_texts(hostile_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARSIGHT_STORE", str(hostile_store))
    html = html_of(run_page("map", color="label", latent="1", q=HOSTILE))
    assert "<img src=x" not in html
    assert "<script" not in html
    assert config_of(html)["chosen"] == 1


def test_the_card_says_a_failed_score_once(store: LatentStore) -> None:
    tips = [build_tip(store, latent) for latent in range(min(store.n_latents, 200))]
    failed = [tip for tip in tips if "AUC" in tip.ref.hint]
    assert failed
    assert all("name score" not in dict(tip.figures) for tip in failed)
