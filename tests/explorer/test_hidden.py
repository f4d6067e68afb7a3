"""What a hide-list names is on no page, in no export and in no answer of the API."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import notes
from explorer.notes.exchange import exported
from explorer.routes import routes
from explorer.stores import HIDE_VARIABLE, STORE_VARIABLE, current_store
from explorer.views.compare_examples import build_examples
from explorer.views.few_latents import SetRow, measure_set
from explorer.views.geometry import build_geometry
from explorer.views.geometry_query import GeometryQuery
from explorer.views.inspection import store_source
from explorer.views.latent_table import latent_table
from explorer.views.latents_matching import matching
from explorer.views.latents_query import LatentsQuery
from explorer.views.neighbourhood import build_neighbourhood
from explorer.views.resolved import resolve
from explorer.views.scores import suggested_labels
from explorer.views.selection import read_selection
from explorer.views.telling import telling
from explorer.wording import plural
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page
from tests.support.pictures import encoded, picture
from tests.support.stores import make_store

LABEL = "forbidden-fruit"
NOTED = "name-given-to-what-is-hidden"


class Sharing(NamedTuple):
    """A store of which something is withheld."""

    latents: list[int]
    pictures: list[int]  # all hidden ones, those of the label among them
    texts: list[str]  # that must stand nowhere
    image: int  # one that is shown, in which a hidden latent is active
    latent: int  # one that is shown, in whose gallery a hidden picture stands


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sharing")
    with tarfile.open(root / "pictures.tar", "w") as tar:
        for number in range(120):
            label = LABEL if number % 4 == 0 else f"kind{number % 4}"
            facts = {"label": label, "caption": f"caption-of-{number:03d}-itself"}
            for extension, data in (("png", encoded(picture(number)[1])), ("json", json.dumps(facts).encode())):
                info = tarfile.TarInfo(f"file-of-{number:03d}.{extension}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return make_store(root / "store", n_latents=64, k=6, images=root / "pictures.tar")


@pytest.fixture(scope="module")
def sharing(path: Path) -> Sharing:
    """Hides the two most active latents, a label, and a picture of another one."""
    plain = LatentStore.open(path)
    ranked = plain.latents["n_active"].sort_values(ascending=False).index.tolist()
    own = int(next(i for i in plain.gallery(ranked[2]).image_ids if plain.image(int(i)).label != LABEL))
    said = {"latents": ranked[:2], "labels": [LABEL], "pictures": [own]}
    path.with_name("store.hide.json").write_text(json.dumps(said), encoding="utf-8")
    pictures = sorted({own, *(i for i in range(120) if plain.image(i).label == LABEL)})
    texts = [LABEL, NOTED]
    for image_id in pictures:
        record = plain.image(image_id)
        texts += [record.caption or "", record.source_key]
    image = next(i for i in range(120) if i not in pictures and set(ranked[:2]) & set(plain.code(i).latents.tolist()))
    return Sharing(ranked[:2], pictures, texts, image, ranked[2])


@pytest.fixture
def shown(path: Path, sharing: Sharing, monkeypatch: pytest.MonkeyPatch) -> Sharing:
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    monkeypatch.delenv(HIDE_VARIABLE, raising=False)
    return sharing


def pages(sharing: Sharing) -> list[tuple[str, dict[str, str]]]:
    """Every page, asked about what is hidden and about what is beside it."""
    hidden, picture_, image, latent = sharing.latents[0], sharing.pictures[0], sharing.image, sharing.latent
    both = f"latents:{hidden},{latent}"
    return [
        ("home", {}),
        ("latents", {}),
        ("latents", {"sort": "number", "life": "dead"}),
        ("latents", {"q": str(hidden)}),
        ("latents", {"q": LABEL}),
        ("latents", {"label": LABEL}),
        ("latents", {"latents": f"{hidden},{latent}"}),
        ("latents", {"image": str(picture_)}),
        ("latents", {"image": str(image)}),
        ("latent", {"latent": str(hidden)}),
        ("latent", {"latent": str(latent)}),
        ("latent", {"latent": str(latent), "view": "random"}),
        ("latent", {"latent": str(latent), "view": "near"}),
        ("pictures", {}),
        ("pictures", {"all_of": str(hidden)}),
        ("pictures", {"all_of": str(latent)}),
        ("pictures", {"q": "e"}),
        ("pictures", {"label": "kind1", "none_of": str(latent)}),
        ("pictures", {"all_of": str(latent), "none_of": str(hidden)}),
        ("inspect", {}),
        ("inspect", {"image": str(picture_)}),
        ("inspect", {"image": str(image)}),
        ("inspect", {"image": str(image), "where": str(hidden)}),
        ("inspect", {"image": str(image), "edit": f"{hidden}:0"}),
        ("compare", {}),
        ("compare", {"a": f"image:{image}"}),
        ("compare", {"a": f"image:{image}", "b": f"image:{picture_}"}),
        ("compare", {"a": f"label:{LABEL}", "b": "label:kind1"}),
        ("compare", {"a": "label:withheld", "b": "label:kind1"}),
        ("compare", {"a": "latents:" + str(latent), "b": both}),
        ("spans", {}),
        ("spans", {"of": f"image:{image}"}),
        ("spans", {"of": f"image:{picture_}"}),
        ("spans", {"of": f"label:{LABEL}"}),
        ("spans", {"of": "label:kind1", "with": "label:kind2"}),
        ("spans", {"of": both}),
        ("map", {"color": "top_label", "latent": str(hidden)}),
        ("map", {"latent": str(latent), "q": LABEL}),
        ("list", {"latents": f"{hidden},{latent}"}),
        ("notes", {}),
        ("quality", {}),
    ]


def assert_nothing_told(text: str, sharing: Sharing, asked: dict[str, str] | None = None) -> None:
    """No text that is withheld, no address of a withheld picture; the visitor's own words may come back."""
    said = " ".join((asked or {}).values())
    told = [secret for secret in sharing.texts if secret in text and secret not in said]
    assert not told, (asked, told)
    numbers = {int(number) for number in re.findall(r"(?:thumb/[0-9a-f]+/|inspect\?image=)(\d+)", text)}
    wanted = {int(number) for number in re.findall(r"\d+", said)}
    assert not (numbers & set(sharing.pictures)) - wanted, asked


def test_no_page_tells(shown: Sharing) -> None:
    notes.note_book(current_store()).save(shown.latents[0], NOTED, NOTED, based_on=0)
    for name, params in pages(shown):
        app = run_page(name, **params)
        plots = " ".join(chart.proto.spec for chart in app.get("plotly_chart"))
        widgets = " ".join(str(element.value) for kind in ("text_input", "text_area") for element in app.get(kind))
        assert_nothing_told(f"{html_of(app)} {plots} {widgets}", shown, params)


def test_pages_say_that_something_is_withheld(shown: Sharing) -> None:
    hidden, picture_ = str(shown.latents[0]), str(shown.pictures[0])
    how_much = plural(2, "latent"), plural(1, "label"), plural(len(shown.pictures), "picture")
    sentence = f"Withheld by those who share it: {', '.join(how_much)}"
    assert sentence in html_of(run_page("home"))
    assert sentence in html_of(run_page("quality"))
    assert f"Latent #{hidden} is withheld" in html_of(run_page("latent", latent=hidden))
    assert f"Picture {picture_} is withheld" in html_of(run_page("inspect", image=picture_))
    assert f"Latent {hidden} is withheld" in html_of(run_page("pictures", all_of=hidden))
    assert f"Latent {hidden} is withheld" in html_of(run_page("map", latent=hidden))
    assert "is withheld by those who share" in html_of(run_page("compare", a=f"image:{picture_}"))
    assert f"here is no label “{LABEL}”" in html_of(run_page("spans", of=f"label:{LABEL}"))
    assert "here is no label “withheld”" in html_of(run_page("compare", a="label:withheld"))
    assert "withheld" in html_of(run_page("inspect", image=str(shown.image)))
    assert "withheld" in html_of(run_page("latent", latent=str(shown.latent)))


def test_an_import_neither_tells_nor_overwrites(shown: Sharing, tmp_path: Path) -> None:
    store, (hidden, _), latent = current_store(), shown.latents, shown.latent
    theirs = notes.NoteBook(tmp_path / "theirs.sqlite", store.manifest.sae.fingerprint, store.n_latents)
    for number in (hidden, latent):
        theirs.save(number, "theirs", "", 0)
    file = exported(LatentStore.open(store.path), theirs).encode()
    mine = notes.note_book(store)
    before = mine.save(hidden, NOTED, NOTED, based_on=mine.get(hidden).revision)
    app = run_page("notes")
    app.file_uploader[0].upload("notes.json", file, "application/json").run()
    html = html_of(app)
    assert_nothing_told(html, shown)
    assert "1 new, 0 the same, 0 conflicting" in html
    assert f"What the file says of {plural(1, 'withheld latent')} is left out" in html
    next(button for button in app.button if button.label == "import").click().run()
    assert (mine.get(hidden), mine.get(latent).name) == (before, "theirs")


def test_what_is_withheld_is_not_offered(shown: Sharing) -> None:
    store, given = current_store(), {shown.latents[0]: notes.Note(shown.latents[0], name=NOTED)}
    everything = matching(latent_table(store), LatentsQuery(sort="number"), (), given)
    assert everything.tolist() == [latent for latent in range(store.n_latents) if latent not in shown.latents]
    assert not len(matching(latent_table(store), LatentsQuery(q=NOTED), (), given))
    offered = [suggested_labels(store, store_source(store, image)) for image in range(1, 40, 4)]
    assert all(titles and "withheld" not in titles for titles in offered)
    options = re.findall(r'<option value="([^"]+)"', html_of(run_page("spans", of="label:kind1")))
    assert set(options) & {"withheld", LABEL, "kind1", "kind2", "kind3"} == {"kind1", "kind2", "kind3"}
    assert all("withheld" not in example.title for example in build_examples(store))


def test_no_route_tells(shown: Sharing) -> None:
    client = TestClient(Starlette(routes=routes()), base_url="http://localhost")
    store = current_store()
    notes.note_book(store).save(shown.latents[1], NOTED, NOTED, based_on=0)
    hidden, latent, image = shown.latents[0], shown.latent, shown.image
    for address in (
        "/api/store",
        f"/api/latents?count={store.n_latents}",
        f"/api/latents/{latent}",
        f"/api/latents/{latent}/gallery",
        f"/api/latents/{latent}/similar?count=50",
        f"/api/images/{image}",
        f"/api/images?all_of={latent}",
        "/api/images?words=of&count=200",
        "/api/images?text=forbidden&count=200",
        f"/api/images?words=file&any_of={latent}&count=200",
        "/api/duplicates?count=200",
        "/api/search?text=forbidden",
        "/api/telling?label=kind1&count=64",
        "/export/latents.csv",
        "/export/latents.json",
        "/export/controls.csv",
        "/api/controls",
        f"/export/latents.csv?latents={hidden},{latent}",
        f"/export/figure.svg?latents={hidden},{latent}",
        "/export/notes.json",
        f"/tip/{store.version}/{hidden}",
        f"/tip/{store.version}/{latent}",
        f"/refs/{store.version}?latents={hidden},{latent}",
    ):
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text)
        assert_nothing_told(answer.text, shown)
    alike = client.get("/api/duplicates?count=200").json()
    assert alike["closest"] and alike["overlapping"]
    assert not set(shown.latents) & {one for pair in alike["closest"] + alike["overlapping"] for one in pair["latents"]}
    for asked in ("words=of", "words=file", "text=forbidden"):
        found = {row["image"] for row in client.get(f"/api/images?{asked}&count=200").json()["images"]}
        assert found and not found & {*shown.pictures, None}, asked
    for address in (
        *(f"/api/latents/{hidden}{part}" for part in ("", "/gallery", "/similar")),
        *(f"/api/images/{shown.pictures[0]}{part}" for part in ("", "/nearest")),
        f"/api/images?all_of={hidden}",
    ):
        answer = client.get(address)
        assert (answer.status_code, "withheld" in answer.text) == (403, True), address
    for image_id in shown.pictures:
        assert client.get(f"/thumb/{store.version}/{image_id}").status_code == 404
    assert client.get(f"/thumb/{store.version}/{image}").status_code == 200
    assert client.get("/api/store").json()["n_withheld_images"] == len(shown.pictures)
    rows = client.get("/export/latents.csv").text.splitlines()[1:]
    assert len(rows) == store.n_latents - 2
    listed = {entry["latent"] for entry in client.get(f"/api/latents?count={store.n_latents}").json()["latents"]}
    assert not listed & set(shown.latents)


def test_lists_keep_the_places_of_withheld_pictures_without_their_numbers(shown: Sharing) -> None:
    """With them, every latent's gallery together would be the picture's code."""
    client = TestClient(Starlette(routes=routes()), base_url="http://localhost")
    store = current_store()
    of_image = dict.fromkeys(range(store.n_images), 0)
    for latent in sorted(set(range(store.n_latents)) - set(shown.latents)):
        gallery = store.gallery(latent)
        for address in (f"/api/latents/{latent}/gallery?count=200", f"/api/images?all_of={latent}&count=200"):
            said = client.get(address).json()
            listed = [row["image"] for row in said["images"]]
            assert listed == [None if i in shown.pictures else i for i in gallery.image_ids.tolist()]
            assert [row["activation"] for row in said["images"]] == pytest.approx(gallery.activations.tolist())
            assert said["n"] == len(listed)
        for image in gallery.image_ids.tolist():
            of_image[image] += 1
    assert all(of_image[image] for image in shown.pictures), "so there was something to tell"
    near = client.get(f"/api/images/{shown.image}/nearest?count=100").json()
    assert near and not {row["id"] for row in near} & set(shown.pictures)


def test_the_file_of_a_plane_does_not_number_withheld_pictures(shown: Sharing) -> None:
    store = current_store()
    said = read_selection(store, f"latents:{shown.latent}")
    assert said
    resolved = resolve(store, said, lambda _: np.zeros(0), None)
    assert resolved
    view = build_geometry(store, resolved, GeometryQuery.from_params({}))
    points = [point for group in view.groups for point in group.points]
    assert {point.image_id is None for point in points} == {True, False}
    assert all((point.image_id is None) == (point.caption == "withheld") for point in points)


def test_a_choice_has_only_pictures_that_are_shown(
    path: Path, shown: Sharing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The mean code of few pictures is nearly the code of each: of one it is that."""
    store = current_store()
    own = next(i for i in shown.pictures if store.labels.codes[i] not in store.hidden.labels)
    label = store.labels.titles[store.labels.codes[own]]
    words = store._embeddings[own]
    for said in (f"label:{label}", "text:words", f"latents:{shown.latent}"):
        selection = read_selection(store, said)
        assert selection
        resolved = resolve(store, selection, lambda _: words, None)
        assert len(resolved.image_ids) == resolved.n_found > 0, said
        assert not set(resolved.image_ids.tolist()) & set(shown.pictures), said
    assert telling(store, label).n_pictures == len(store.images_of_label(int(store.labels.codes[own]))) - 1
    ids = store.images_of_label(int(store.labels.codes[own])).tolist()
    (tmp_path / "all.json").write_text(json.dumps({"pictures": ids}), encoding="utf-8")
    monkeypatch.setenv(HIDE_VARIABLE, str(tmp_path / "all.json"))
    assert "ll pictures of this choice are withheld" in html_of(run_page("compare", a=f"label:{label}"))
    assert "ll pictures of this choice are withheld" in html_of(run_page("spans", of=f"label:{label}"))
    assert "no picture carries the label" in html_of(run_page("latents", tells=label))


def test_a_neighbourhood_has_only_pictures_that_are_shown(shown: Sharing) -> None:
    """Around a picture of the withheld label most carry it: the row beside it was called by what is withheld."""
    store = current_store()
    said = read_selection(store, "text:words")
    assert said
    resolved = resolve(store, said, lambda _: store._embeddings[shown.pictures[0]], None)
    nearest = store.nearest_images(resolved.centre, 12).ids.tolist()
    assert set(nearest) & set(shown.pictures), "so there was something to tell"
    sets: dict[str, np.ndarray] = {}

    def noted(store: LatentStore, name: str, members: np.ndarray) -> SetRow:
        sets.setdefault(name, members)
        return measure_set(store, name, members)

    view = build_neighbourhood(store, resolved, 12, measure=noted)
    (near, near_ids), (label, label_ids) = list(sets.items())[:2]
    assert near == "nearest pictures" and label.startswith("labelled “kind")
    assert len(near_ids) == 12 and not {*near_ids.tolist(), *label_ids.tolist()} & set(shown.pictures)
    assert not any(tile.hidden for tile in view.tiles)


def test_a_changed_list_holds_from_the_next_page_on(
    path: Path, shown: Sharing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = current_store().version
    (tmp_path / "list.json").write_text(json.dumps({"pictures": [shown.image]}), encoding="utf-8")
    monkeypatch.setenv(HIDE_VARIABLE, str(tmp_path / "list.json"))
    assert current_store().is_hidden(shown.image)
    assert current_store().version != before
    (tmp_path / "list.json").write_text("{", encoding="utf-8")
    html = html_of(run_page("home"))
    assert "There is no store to show" in html
    assert "The hide-list" in html
    assert "make demo" not in html
    assert TestClient(Starlette(routes=routes()), base_url="http://localhost").get("/api/store").status_code == 503
    (tmp_path / "list.json").unlink()
    assert "The hide-list" in html_of(run_page("home"))
