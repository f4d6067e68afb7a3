"""The Latent page as Streamlit runs it."""

from __future__ import annotations

import io
import re
import tarfile
from html import escape
from pathlib import Path

import pytest

from explorer.stores import STORE_VARIABLE
from explorer.views.latent_gallery import N_RANDOM, PER_PAGE
from explorer.wording import plural
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE
from tests.support.pictures import encoded, picture
from tests.support.stores import make_store

VIEWS = ("", "deciles", "random", "near")


def busiest(store: LatentStore) -> int:
    return int(store.latents["n_active"].idxmax())


def dead(store: LatentStore) -> int:
    return int(store.latents.index[store.latents["n_active"] == 0][0])


@pytest.fixture(scope="session")
def unlabelled_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures without a word: no label, no caption."""
    root = tmp_path_factory.mktemp("unlabelled")
    with tarfile.open(root / "pictures.tar", "w") as tar:
        for number in range(60):
            data = encoded(picture(number)[1])
            info = tarfile.TarInfo(f"{number:05d}.png")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return make_store(root / "store", n_latents=48, k=4, images=root / "pictures.tar")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_the_strip_and_the_figures(shown: LatentStore, view: str) -> None:
    latent = busiest(shown)
    app = run_page("latent", latent=str(latent), view=view)
    html = html_of(app)
    strip = html[html.index('class="sp-tabs"') : html.index("</nav>", html.index('class="sp-tabs"'))]
    assert strip.count("<a ") == 4
    assert strip.count('aria-current="page"') == 1
    for key in VIEWS[1:]:
        address = escape(f"latent?latent={latent}&view={key}")
        assert (f'href="{address}" aria-current' in strip) == (key == view)
        assert f'href="{address}"' in strip
    for said in ("How strongly", "How often", "How sure", "Labels", "Similar directions", "What its direction says"):
        assert f"<h2>{said}" in html
    assert len(app.get("plotly_chart")) == 1


def test_an_unknown_view_is_the_top(shown: LatentStore) -> None:
    latent = str(busiest(shown))
    html, said = html_of(run_page("latent", latent=latent, view="<x>")), "Left out of this address: “view=&lt;x&gt;”."
    assert said in html
    assert re.sub("<p[^>]*sp-leftout.*?</p>", "", html) == html_of(run_page("latent", latent=latent))


def test_a_number_may_have_the_mark_that_pages_write(shown: LatentStore) -> None:
    latent = busiest(shown)
    html = html_of(run_page("latent", latent=f"#{latent}"))
    assert html == html_of(run_page("latent", latent=str(latent)))
    assert "No such latent" not in html


def test_deciles(shown: LatentStore) -> None:
    latent = busiest(shown)
    html = html_of(run_page("latent", latent=str(latent), view="deciles"))
    rows = html.split('class="sp-decile"')[1:]
    assert len(rows) == 10
    for row, decile in zip(rows, range(10, 0, -1), strict=True):
        assert f"<b>decile {decile}</b>" in row
        assert row.count('class="sp-tile"') == 8
        assert "all of this decile" in row
    start, _ = shown.decile_range(latent, 1)
    page = start // PER_PAGE + 1
    assert page > 1
    assert f'href="{escape(f"latent?latent={latent}&page={page}")}">all of this decile' in rows[-1]


def test_random_draws_again(shown: LatentStore) -> None:
    latent = busiest(shown)
    html = html_of(run_page("latent", latent=str(latent), view="random", seed="4"))
    assert f'href="{escape(f"latent?latent={latent}&view=random&seed=5")}">draw again' in html
    assert f'href="{escape(f"latent?latent={latent}&view=random&seed=4")}" data-copy' in html
    drawn = shown.random_members(latent, N_RANDOM, 4)
    assert html.count('class="sp-tile"') == N_RANDOM
    assert all(f'href="inspect?image={image_id}"' in html for image_id in drawn.image_ids)


def test_near_misses_show_both_figures(shown: LatentStore) -> None:
    latent = next(latent for latent in range(shown.n_latents) if len(shown.near_misses(latent).image_ids) > 2)
    missed = shown.near_misses(latent)
    html = html_of(run_page("latent", latent=str(latent), view="near"))
    assert "the latent is not active" in html
    assert html.count('class="sp-tile"') == len(missed.image_ids)
    first = f"{missed.pre_activations[0]:.3f} &lt; {missed.thresholds[0]:.3f}"
    assert first in html or f"{missed.pre_activations[0]:.2f} &lt; {missed.thresholds[0]:.2f}" in html


def test_no_near_misses_is_said(shown: LatentStore) -> None:
    none = [latent for latent in range(shown.n_latents) if not len(shown.near_misses(latent).image_ids)]
    if not none:
        pytest.skip("every latent of this store has a near miss")
    html = html_of(run_page("latent", latent=str(none[0]), view="near"))
    assert "No near misses" in html
    assert 'class="sp-tile"' not in html


def test_a_dead_latent_shows_where_it_came_close(shown: LatentStore) -> None:
    app = run_page("latent", latent=str(dead(shown)), view="deciles")
    html = html_of(app)
    assert "A dead latent" in html
    assert 'class="sp-tabs"' not in html
    assert "<h2>Near misses" in html
    assert "How often" not in html
    assert html.count('class="sp-tile"') == len(shown.near_misses(dead(shown)).image_ids)


def test_below_a_short_gallery_stand_its_relatives(shown: LatentStore) -> None:
    """Else the wide column would be empty there; beside a long gallery they are in the narrow one."""
    sizes = shown.latents["n_active"]
    short, longer = (int(sizes.index[sizes.between(*few)][0]) for few in ((4, 18), (19, 24)))
    for latent, below in ((short, True), (longer, True), (busiest(shown), False), (dead(shown), False)):
        html = html_of(run_page("latent", latent=str(latent)))
        assert html.count("Similar directions") == 1
        assert ('class="sp-below"' in html) == below
        assert not below or html.index("Similar directions") < html.index("How strongly")


def test_a_single_picture_says_that_it_proves_nothing(shown: LatentStore) -> None:
    few = shown.latents.index[shown.latents["n_active"] == 1]
    if not len(few):
        pytest.skip("no latent of one picture")
    html = html_of(run_page("latent", latent=str(few[0])))
    assert f"{plural(1, 'picture')}: nothing can be concluded from it" in html
    assert f"{plural(1, 'picture')}: too few to compare with each other." in html
    assert "hardly anything" not in html_of(run_page("latent", latent=str(busiest(shown))))


def test_neighbours_keep_the_view(shown: LatentStore) -> None:
    latent = busiest(shown)
    html = html_of(run_page("latent", latent=str(latent), view="deciles"))
    following = escape(f"latent?latent={latent + 1}&view=deciles")
    assert f'href="{following}" data-key="ArrowRight"' in html
    assert html.count(f'href="{following}"') == 2, "at both ends of the page"


def test_a_dead_latent_on_the_way_keeps_the_view(shown: LatentStore) -> None:
    latent = dead(shown)
    html = html_of(run_page("latent", latent=str(latent), view="deciles"))
    assert f'href="{escape(f"latent?latent={latent + 1}&view=deciles")}" data-key="ArrowRight"' in html


def test_the_title_says_how_good_the_name_is(shown: LatentStore) -> None:
    named = shown.latents[shown.latents["name_score"].notna()]
    assert len(named)
    for good in (True, False):
        rows = named[named["name_good"] == good]
        if not len(rows):
            continue
        html = html_of(run_page("latent", latent=str(int(rows.index[0]))))
        title = html[html.index("sp-title") : html.index("sp-tools")]
        row = rows.iloc[0]
        score = f"AUC {row['name_score']:.2f} (≥ {row['name_low']:.2f})"
        assert score in title
        assert "Baseline: 0.5" in title
        assert ("<b>" in title) == good
        assert ("no name fits: best guess" in title) == (not good)


def test_without_labels_and_captions(unlabelled_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(unlabelled_store))
    store = LatentStore.open(unlabelled_store)
    for view in VIEWS:
        html = html_of(run_page("latent", latent=str(busiest(store)), view=view))
        assert "<h2>Labels" not in html
        assert "What its direction says" not in html
        assert "How sure" in html
        assert "labelled" not in html


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_texts_stay_texts(hostile_store: Path, monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(hostile_store))
    latent = str(busiest(LatentStore.open(hostile_store)))
    html = html_of(run_page("latent", latent=latent, view=view, page='"><script>', seed="'"))
    assert html.count("alert(1)") > 10, "labels and captions are shown"
    assert "<script" not in html
    assert "<img src=x" not in html
    assert HOSTILE not in html
    assert "' style='" not in html.replace("&#x27; style=&#x27;", "")
