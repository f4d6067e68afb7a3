"""Latents as a figure for a paper: which pictures stand in it, that it is whole SVG, what it refuses."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import notes
from explorer.routes import routes
from explorer.stores import STORE_VARIABLE
from explorer.views.latent_labels import label_shares
from explorer.views.names import display_name
from explorer.views.sheet import MAX_ROWS, N_TOP, PLACES, build_sheet, ranks
from explorer.wording import activation, percent
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE, make_hostile_store
from tests.support.stores import make_store

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def client(shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("SPARSIGHT_NOTES", str(tmp_path / "n.sqlite"))
    return TestClient(Starlette(routes=routes()), base_url="http://localhost")


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def images(svg: str) -> Iterator[ElementTree.Element]:
    return ElementTree.fromstring(svg).iter(f"{SVG}image")


def test_ranks_of_a_hundred_and_of_thirteen_and_of_none() -> None:
    assert ranks(100) == ([0, 1, 2, 3, 4], [10, 30, 50, 70, 90])
    assert ranks(13) == ([0, 1, 2, 3, 4], [None, None, 6, 9, 11])  # 1 and 3 stand among the strongest
    assert ranks(3) == ([0, 1, 2], [None] * 5)
    assert ranks(0) == ([], [None] * 5)


@given(st.integers(0, 5_000))
def test_ranks_lie_in_the_gallery_once_each_and_where_their_column_says(n: int) -> None:
    top, through = ranks(n)
    shown = [*top, *(rank for rank in through if rank is not None)]
    assert shown == sorted(set(shown)) and all(0 <= rank < n for rank in shown)
    for place, rank in zip(PLACES, through, strict=True):
        assert rank is None or rank <= place * n < rank + 1
        assert rank is not None or int(place * n) < N_TOP


def test_the_pictures_and_figures_are_the_gallerys_own(client: TestClient, shown: LatentStore) -> None:
    large = int(shown.latents["n_active"].idxmax())
    answer = client.get(f"/export/figure.svg?latents={large}&title=Mine")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "Mine.svg" in answer.headers["content-disposition"]
    for asked, name in ((f"{large}", f"latent-{large}"), ("1,2,3,4,5,6", "latents-1-2-3-4-5")):
        named = client.get(f"/export/figure.svg?latents={asked}").headers["content-disposition"]
        assert named.endswith(f"-{name}.svg"), "without a title"
    top, through = ranks(shown.gallery_size(large))
    asked = [*top, *(rank for rank in through if rank is not None)]
    assert len(asked) == N_TOP + len(PLACES), "a gallery that fills the row"
    members = shown.gallery(large)
    found = list(images(answer.text))
    for rank, image in zip(asked, found, strict=True):
        kind, data = re.fullmatch(r"data:(.*);base64,(.*)", image.attrib["href"]).groups()  # type: ignore[union-attr]
        small = shown.thumbnail(int(members.image_ids[rank]))
        assert small and (kind, base64.b64decode(data)) == (small.media_type, small.data)
    said = texts(answer.text)
    assert said[0] == "Mine"
    assert [activation(float(members.activations[rank])) for rank in asked] == [
        text for text in said if re.fullmatch(r"\d+\.\d+", text)
    ]
    (label,) = label_shares(shown, large, 1)
    assert any(text.endswith(f" labelled {label.label} ({percent(label.store_share)})") for text in said)
    assert "←" not in said
    lefts = [float(image.attrib["x"]) for image in found]
    assert lefts == sorted(lefts) and len(set(lefts)) == len(lefts), "none over another"


def test_rows_in_the_order_asked_for_and_whose_they_are(client: TestClient, shown: LatentStore) -> None:
    said = texts(client.get("/export/figure.svg?latents=7,3,12").text)
    assert [text for text in said if re.fullmatch(r"#\d+", text)] == ["#7", "#3", "#12"]
    assert shown.version in said[-2] and shown.manifest.sae.fingerprint[:8] in said[-2]


def test_a_small_gallery_says_where_its_pictures_are(client: TestClient, shown: LatentStore) -> None:
    sizes = shown.latents["n_active"]
    small = int(sizes[(sizes > 5) & (sizes < 50)].idxmax())
    said = texts(client.get(f"/export/figure.svg?latents={small}").text)
    assert said.count("←") == ranks(int(sizes[small]))[1].count(None) > 0
    assert "←: among the strongest." in said[-1]


def test_a_name_stands_beside_its_score(client: TestClient, shown: LatentStore) -> None:
    named = next(
        latent
        for latent in range(shown.n_latents)
        if display_name(shown, latent).auc and display_name(shown, latent).text
    )
    said = texts(client.get(f"/export/figure.svg?latents={named}").text)
    assert any(text.startswith(display_name(shown, named).auc) for text in said)


def test_a_dead_latent_has_a_row_that_says_so(client: TestClient, shown: LatentStore) -> None:
    dead = int(shown.latents.index[shown.latents["n_active"] == 0][0])
    svg = client.get(f"/export/figure.svg?latents={dead}").text
    assert "active in no picture" in texts(svg)
    assert not list(images(svg))


def test_a_persons_name_whatever_is_in_it(client: TestClient, shown: LatentStore) -> None:
    notes.note_book(shown).save(3, f"a\u202eb{HOSTILE}", "", 0)
    said = texts(client.get("/export/figure.svg?latents=3").text)
    assert any(text.startswith('ab"><img src=x') and text.endswith("…") for text in said)


def test_hostile_captions_and_names_stay_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(make_hostile_store(tmp_path)))
    svg = (
        TestClient(Starlette(routes=routes()), base_url="http://localhost").get("/export/figure.svg?latents=0,1,2").text
    )
    kinds = {node.tag for node in ElementTree.fromstring(svg).iter()}
    assert kinds == {SVG + kind for kind in ("svg", "rect", "text", "g", "title", "image")}


def test_a_store_without_pictures_has_their_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LatentStore.open(make_store(tmp_path / "store", n_latents=48, k=4, thumbnails="none"))
    monkeypatch.setenv(STORE_VARIABLE, str(store.path))
    large = int(store.latents["n_active"].idxmax())
    svg = (
        TestClient(Starlette(routes=routes()), base_url="http://localhost")
        .get(f"/export/figure.svg?latents={large}")
        .text
    )
    n_shown = sum(
        tile is not None for row in build_sheet(store, [large]).rows for tile in (*row.strongest, *row.through)
    )
    assert not list(images(svg)) and svg.count("<title>") == n_shown > 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "a figure takes 1 to 40 latents"),
        ("?latents=", "a figure takes 1 to 40 latents"),
        ("?latents=" + ",".join(map(str, range(MAX_ROWS + 1))), "a figure takes 1 to 40 latents"),
        ("?latents=x", "takes numbers with commas"),
        ("?latents=99999", "there is no latent 99999"),
    ],
)
def test_what_is_no_figure_is_a_sentence(client: TestClient, query: str, said: str) -> None:
    answer = client.get(f"/export/figure.svg{query}")
    assert (answer.status_code, said in answer.text) == (400, True), answer.text


def test_pages_offer_it(shown: LatentStore) -> None:
    large = int(shown.latents["n_active"].idxmax())
    assert f'href="export/figure.svg?latents={large}"' in html_of(run_page("latent", latent=str(large)))
    assert "export/figure.svg" not in html_of(run_page("latent", latent=str(large), view="deciles"))
    many = ",".join(map(str, range(MAX_ROWS + 5)))
    html = html_of(run_page("list", latents=many, title="Mine"))
    asked = re.findall(r'href="export/figure.svg\?latents=([^&"]*)', html)
    assert asked and asked[0].replace("%2C", ",") == ",".join(map(str, range(MAX_ROWS)))
    assert "figure of the first 40<" in html
    assert "the first 40 latents" in html.replace("\u00a0", " ")
