"""Heat maps on Inspect: the address, the maps that are kept, the view, the figures, and the section in each state."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.testing.v1 import AppTest

from explorer.deletion_charts import deletion_csv, deletion_figure
from explorer.recent import RecentArrays
from explorer.stores import STORE_VARIABLE
from explorer.views.heat_maps import N_RANDOM, HeatMaps
from explorer.views.inspection import Source, store_source
from explorer.views.where import Deletion, WhereView, build_where, choices, status, verdict
from explorer.views.where_query import read_where
from explorer.where_charts import heat_map, heat_map_csv
from sae_core import ClipEncoder, LatentStore
from sae_core.heatmaps import DeletionCurve
from sae_core.sae.topk import TopKSAE
from tests.explorer.conftest import html_of
from tests.support.stores import make_store

IMAGE = 4


@pytest.fixture(scope="module")
def encoder(store: LatentStore) -> ClipEncoder:
    return store.load_encoder()


@pytest.fixture(scope="module")
def sae(store: LatentStore) -> TopKSAE:
    return store.sae()


@pytest.fixture
def source(store: LatentStore) -> Source:
    return store_source(store, IMAGE)


@pytest.fixture
def told() -> list[tuple[str, float]]:
    return []


@pytest.fixture
def maps(encoder: ClipEncoder, sae: TopKSAE, source: Source, told: list[tuple[str, float]]) -> HeatMaps:
    pixels = encoder.preprocessing.crop_pixels(source.picture())
    return HeatMaps(encoder, sae, pixels, RecentArrays(1 << 20), "key", lambda what, share: told.append((what, share)))


@pytest.fixture
def latent(store: LatentStore) -> int:
    return int(store.code(IMAGE).latents[0])


@pytest.fixture
def view(store: LatentStore, source: Source, maps: HeatMaps, latent: int) -> WhereView:
    return build_where(store, source, read_where({"where": str(latent), "deletion": "1"}), maps)


def parameters(url: str) -> dict[str, str]:
    assert urlsplit(url).path == "inspect"
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def test_the_address_keeps_what_is_not_ours() -> None:
    query = read_where({"image": "3", "prompt": "a cat", "where": " #12 ", "method": "gradients", "deletion": "1"})
    assert (query.latent, query.method, query.deletion) == (12, "gradients", True)
    assert parameters(query.without) == {"image": "3", "prompt": "a cat"}
    assert parameters(query.url(latent=40, method="occlusion", deletion=False)) == {
        "image": "3",
        "prompt": "a cat",
        "where": "40",
    }
    assert parameters(query.url(method="occlusion"))["deletion"] == "1"


@pytest.mark.parametrize("said", ["", "cat", "-1", "1e3", "９", "1" * 30])
def test_no_number_is_no_latent(said: str) -> None:
    assert read_where({"where": said}).latent == -1
    assert read_where({"where": said, "method": "magic", "deletion": "yes"}).method == "occlusion"
    assert not read_where({"deletion": "yes"}).deletion


def test_other_latents_need_no_new_encoding(
    maps: HeatMaps, latent: int, told: list[tuple[str, float]], store: LatentStore
) -> None:
    first = maps.map(latent, "occlusion")
    assert told[0][1] == 0.0 and told[-1][1] == 1.0
    assert [share for _, share in told] == sorted(share for _, share in told)
    told.clear()
    other = maps.map((latent + 1) % store.n_latents, "occlusion")
    assert told == []
    assert not np.allclose(first, other)
    np.testing.assert_array_equal(first, maps.map(latent, "occlusion"))


def test_gradients_are_kept_by_latent(maps: HeatMaps, latent: int, told: list[tuple[str, float]]) -> None:
    first = maps.map(latent, "gradients")
    assert told[-1][1] == 1.0
    told.clear()
    np.testing.assert_array_equal(maps.map(latent, "gradients"), first)
    assert told == []
    maps.map(latent + 1, "gradients")
    assert told


def test_who_leaves_stops_the_encoding_and_leaves_nothing_behind(
    maps: HeatMaps, latent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit ends a script by raising where the progress is told."""
    n_encoded = 0
    encode = ClipEncoder.encode_pixels

    def counted(self: ClipEncoder, pixels: object) -> object:
        nonlocal n_encoded
        n_encoded += len(pixels)  # type: ignore[arg-type]
        return encode(self, pixels)  # type: ignore[arg-type]

    def leave(_: str, share: float) -> None:
        if share > 0.1:
            raise StopException

    monkeypatch.setattr(ClipEncoder, "encode_pixels", counted)
    with pytest.raises(StopException):
        replace(maps, progress=leave).map(latent, "occlusion")
    assert 0 < n_encoded < 0.2 * maps.grid.n_windows
    assert maps.kept.n_bytes == 0


def test_the_view_says_the_latents_place_in_this_picture(
    view: WhereView, store: LatentStore, source: Source, encoder: ClipEncoder, latent: int
) -> None:
    seen = encoder.encode_images([source.picture()])[0].numpy()
    kept = store.encode(seen)
    assert view.pre_activation == pytest.approx(store.pre_activations(seen)[latent], abs=1e-5)
    assert view.threshold == pytest.approx(kept.activations[-1], abs=1e-5)
    assert view.cosine == pytest.approx(float(seen @ store.embedding(IMAGE)), abs=1e-5)
    assert view.active == (latent in kept.latents[kept.activations > 0])
    assert view.from_thumbnail
    assert view.values.shape == (14, 14)


def test_latents_that_lost_and_dead_ones_are_said_to_be_so(
    store: LatentStore, source: Source, maps: HeatMaps, view: WhereView
) -> None:
    dead = int(np.flatnonzero(store.latents["density"].to_numpy() == 0)[0])
    lost = build_where(store, source, read_where({"where": str(dead)}), maps)
    assert "not active, as in all pictures of this store: it lost the Top-K" in status(lost, store.k)
    assert lost.deletion is None
    assert "it is active" in status(replace(view, pre_activation=2.0, threshold=1.0), store.k)
    assert "it lost the Top-K" in status(replace(view, pre_activation=1.0, threshold=2.0), store.k)
    assert "not above 0" in status(replace(view, pre_activation=-1.0, threshold=-2.0), store.k)


def test_unknown_latents_are_an_index_error(store: LatentStore, source: Source, maps: HeatMaps) -> None:
    with pytest.raises(IndexError):
        build_where(store, source, read_where({"where": str(store.n_latents)}), maps)


def test_a_picture_of_the_mean_colour_has_an_empty_map(
    store: LatentStore, source: Source, maps: HeatMaps, encoder: ClipEncoder, latent: int
) -> None:
    plain = np.broadcast_to(encoder.preprocessing.mean_colour, maps.pixels.shape).copy()
    for method in ("occlusion", "gradients"):
        query = read_where({"where": str(latent), "method": method})
        view = build_where(store, source, query, replace(maps, pixels=plain, key="plain"))
        assert view.empty and view.scale == 1.0
        heat_map(view)


def test_a_picture_of_one_colour_works(store: LatentStore, source: Source, maps: HeatMaps, latent: int) -> None:
    red = np.full_like(maps.pixels, (255, 0, 0))
    view = build_where(store, source, read_where({"where": str(latent)}), replace(maps, pixels=red, key="red"))
    assert np.isfinite(view.values).all() and not view.empty


def curve(*values: float) -> DeletionCurve:
    return DeletionCurve(np.linspace(0, 1, len(values)), np.array(values))


AREAS = (0.6, 0.65, 0.7, 0.75, 0.75, 0.8, 0.85, 0.9)  # of random orders: mean 0.75, standard deviation 0.1


@pytest.mark.parametrize(
    ("occlusion", "gradients", "centre", "said"),
    [
        (0.1, 0.3, 0.5, "occlusion finds the pixels that matter sooner than integrated gradients"),
        (0.3, 0.1, 0.5, "integrated gradients finds the pixels that matter sooner than occlusion"),
        (0.1, 0.15, 0.5, "both maps find the pixels that matter about as soon"),
        (0.1, 0.9, 0.5, "integrated gradients is no better than chance"),
        (0.1, 0.3, 0.05, "in the middle"),
        (0.1, 0.3, 0.15, "does about as well"),
        (0.7, 0.8, 0.1, "Neither map"),
        (0.5, 0.8, 0.9, "Neither map"),  # less than all eight, and not clearly
    ],
)
def test_the_verdict_is_what_the_areas_allow(occlusion: float, gradients: float, centre: float, said: str) -> None:
    random = tuple(curve(area, area) for area in AREAS)
    test = Deletion(*(curve(area, area) for area in (occlusion, gradients, centre)), random)
    assert said in verdict(test)
    assert ("in the middle" in verdict(test)) == (centre < min(occlusion, gradients) + test.margin < 0.5)
    assert test.margin == pytest.approx(0.1, abs=1e-3), "by hand"
    assert test.random_areas == pytest.approx((0.6, 0.75, 0.9))


def test_better_than_random_orders_is_what_two_more_of_them_seldom_are() -> None:
    """The better of two more orders of the same kind lies below the bound in one case of forty."""
    rng = np.random.default_rng(0)
    draws, n = rng.normal(size=(4_000, 10)), 0
    for row in draws:
        test = Deletion(*(curve(0.0, 0.0) for _ in range(3)), tuple(curve(area, area) for area in row[:8]))
        n += min(row[8:]) < test.by_chance
    assert n / len(draws) == pytest.approx(0.025, abs=0.008)


def test_the_deletion_test_has_its_baselines(view: WhereView) -> None:
    test = view.deletion
    assert test is not None and len(test.random) == N_RANDOM
    for one in (test.occlusion, test.gradients, test.centre, *test.random):
        assert one.pre_activations[0] == pytest.approx(view.pre_activation, abs=1e-5)
        assert one.pre_activations[-1] == pytest.approx(view.nothing, abs=1e-5)
    assert len(deletion_figure(test).data) == 6
    rows = list(csv.DictReader(io.StringIO(deletion_csv(test))))
    assert [float(row["occlusion"]) for row in rows] == test.occlusion.pre_activations.tolist()
    assert f"random_{N_RANDOM - 1}" in rows[0]


def test_the_figure_lies_over_the_crop_with_colours_even_around_zero(view: WhereView) -> None:
    figure = heat_map(view)
    trace, image = figure.data[0], figure.layout.images[0]
    assert trace.zmin == -trace.zmax == -np.abs(view.values).max()
    assert trace.x[0] == trace.y[0] == 0 and trace.x[-1] == trace.y[-1] == image.sizex == len(view.pixels)
    assert list(figure.layout.yaxis.range) == [len(view.pixels), 0]
    np.testing.assert_array_equal(trace.z, view.values)
    bar = figure.data[1].marker  # on the page, not on the picture: with the same ends, and no colour shines through
    assert (bar.cmin, bar.cmax) == (trace.zmin, trace.zmax) and bar.showscale and not trace.showscale
    assert [place for place, _ in bar.colorscale] == [place for place, _ in trace.colorscale]
    assert dict(bar.colorscale)[0.5] == "rgb(255, 255, 255)"
    assert dict(bar.colorscale)[1.0] == "rgb(20, 116, 71)", "0.92 of (0, 104, 55) on white"


def test_the_table_has_a_line_a_cell(view: WhereView) -> None:
    rows = list(csv.DictReader(io.StringIO(heat_map_csv(view))))
    assert len(rows) == view.values.size
    last = rows[-1]
    assert (int(last["bottom"]), int(last["right"])) == (len(view.pixels), len(view.pixels))
    values = [float(row["change_of_pre_activation"]) for row in rows]
    np.testing.assert_array_equal(values, view.values.reshape(-1))


def section(image_id: int | None, said: dict[str, str]) -> AppTest:
    """The section alone, of a picture of the store or (None) of an upload that shows the same."""

    def script(image_id: int | None) -> None:
        from dataclasses import replace

        from explorer.stores import current_store
        from explorer.views.inspection import store_source
        from explorer.where import draw_where

        store = current_store()
        source = store_source(store, image_id or 0)
        draw_where(store, source if image_id else replace(source, kind="upload", image_id=None))

    app = AppTest.from_function(script, args=(image_id,), default_timeout=60)
    for key, value in said.items():
        app.query_params[key] = value
    return app.run()


def test_before_a_latent_is_chosen_the_active_ones_are_offered(shown: LatentStore) -> None:
    html = html_of(section(IMAGE, {"image": str(IMAGE)}))
    active = shown.code(IMAGE).latents.tolist()
    assert re.findall(r'href="inspect\?image=4&amp;where=(\d+)"', html) == [str(latent) for latent in active]
    assert [ref.latent for ref in choices(shown, shown.code(IMAGE))] == active


def test_a_map_comes_with_its_words_and_ways_on(shown: LatentStore, latent: int) -> None:
    said = {"image": str(IMAGE), "where": str(latent), "method": "gradients"}
    html = html_of(section(IMAGE, said))
    assert f'href="latent?latent={latent}"' in html
    assert "The store holds only a small copy" in html
    assert "The shares sum to" in html
    assert f'href="inspect?image={IMAGE}&amp;where={latent}"' in html  # the other method, the default one
    assert "deletion=1" in html
    assert "cancel" not in html


@pytest.mark.parametrize("said", ["96", "99999999", "cat", "<script>alert(1)</script>"])
def test_no_such_latent_is_said_in_words(shown: LatentStore, said: str) -> None:
    html = html_of(section(IMAGE, {"where": said}))
    assert "No such latent" in html
    assert "<script>" not in html


def test_the_deletion_test_is_shown_where_it_is_asked_for(shown: LatentStore, latent: int) -> None:
    html = html_of(section(IMAGE, {"where": str(latent), "deletion": "1"}))
    assert "Area under the curve" in html and "hide the deletion test" in html


def test_an_upload_is_kept_in_its_session_only(shown: LatentStore, latent: int) -> None:
    from explorer import where

    before = where._STORE_PICTURES.n_bytes
    app = section(None, {"where": str(latent)})
    assert "small copy of the picture" not in html_of(app)
    assert app.session_state[where.UPLOAD_KEPT].n_bytes > 0
    assert where._STORE_PICTURES.n_bytes == before


def test_a_store_without_pictures_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = make_store(tmp_path / "bare", 20, n_latents=32, thumbnails="none")
    monkeypatch.setenv(STORE_VARIABLE, str(bare))
    for said in ({}, {"where": "1"}):
        html = html_of(section(3, said))
        assert "shared without its pictures" in html
        assert "where=" not in html


def test_an_encoder_that_cannot_be_had_gets_one_sentence(
    shown: LatentStore, latent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sae_core.errors import MismatchError

    def missing(*_: object) -> None:
        raise MismatchError("the encoder is another one")

    monkeypatch.setattr("explorer.where.encoder", missing)
    assert "No heat map: the encoder is another one." in html_of(section(IMAGE, {"where": str(latent)}))
