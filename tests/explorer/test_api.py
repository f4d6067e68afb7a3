"""The JSON API: the same answers as the store's, limits, and a description that fits."""

from __future__ import annotations

import importlib.util
import io
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import notes
from explorer.api import create_api
from explorer.api.rate import RATE_VARIABLE
from explorer.api.search import UPLOADS_VARIABLE
from explorer.routes import routes
from explorer.stores import STORE_VARIABLE
from explorer.uploads import MAX_MEGABYTES, reduced
from explorer.views.cells import number_or_none, text_or_none
from explorer.views.chance import Against, strings
from explorer.views.names import display_name
from explorer.views.telling import telling
from sae_core import LatentStore
from sae_core.naming import borne_out
from tests.support.hostile import HOSTILE
from tests.support.pictures import encoded, picture

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("SPARSIGHT_NOTES", str(tmp_path / "n.sqlite"))
    monkeypatch.setenv(RATE_VARIABLE, "10000/minute")
    return TestClient(Starlette(routes=routes()), base_url="http://localhost")


def test_the_store_says_what_it_is(client: TestClient, shown: LatentStore) -> None:
    said = client.get("/api/store").json()
    assert (said["n_images"], said["n_latents"], said["version"]) == (shown.n_images, shown.n_latents, shown.version)
    assert said["cosine"] == pytest.approx(shown.manifest.report.cosine)


def test_controls_have_the_figures_of_latents(client: TestClient, shown: LatentStore) -> None:
    said, table = client.get("/api/controls").json(), shown.controls
    assert table is not None and len(said) == len(table) > 0
    for answer, (_, row) in zip(said, table.iterrows(), strict=True):
        assert (answer["kind"], answer["like_latent"]) == (row["kind"], row["like_latent"])
        assert answer["name"] == (row["name"] if row["name_good"] else None)
        assert answer["split_half"] == pytest.approx(row["split_half"], nan_ok=True) or np.isnan(row["split_half"])
    answer, report = client.get("/api/store").json(), shown.manifest.report
    assert (answer["random_fvu"], answer["picture_fvu"]) == (report.random_fvu, report.picture_fvu)
    assert report.random_fvu is not None and report.picture_fvu is not None


def test_latents_have_the_figures_of_the_pages(client: TestClient, shown: LatentStore) -> None:
    said = client.get("/api/latents?start=90&count=50").json()
    assert said["n"] == shown.n_latents
    assert [row["latent"] for row in said["latents"]] == list(range(90, 96))
    for row in said["latents"]:
        assert row["density"] == shown.latents.density[row["latent"]]
        assert row["name"] == display_name(shown, row["latent"]).text
        assert row == client.get(f"/api/latents/{row['latent']}").json()


def test_names_come_with_how_they_were_judged(client: TestClient, shown: LatentStore) -> None:
    notes.note_book(shown).save(7, "mine", "", 0)
    single = [client.get(f"/api/latents/{latent}").json() for latent in range(shown.n_latents)]
    listed = client.get("/api/search?text=red+things&count=96").json()["latents"]
    listed += client.get("/api/latents/3/similar?count=50").json() + client.get("/api/images/7").json()["code"]
    for said in single + listed:
        row = shown.latents.loc[said["latent"]]
        assert said["name_match"] == text_or_none(row["name_match"])
        assert said["name_low"] == number_or_none(row["name_low"])
        assert said["name_score"] == number_or_none(row["name_score"])
        borne = borne_out(row["name_match"], row["name_carried"], row["name_carried_by_chance"])
        assert said["name_borne_out"] == bool(borne)
        assert said["name_from_a_person"] == (said["latent"] == 7)
    assert {"text", "clip"} & {said["name_match"] for said in single}
    assert single[7]["name"] == "mine"
    for answer, (_, row) in zip(client.get("/api/controls").json(), shown.controls.iterrows(), strict=True):  # type: ignore[union-attr]
        assert (answer["name_match"], answer["name_low"]) == (row["name_match"], number_or_none(row["name_low"]))


def test_latents_that_tell_a_label_are_those_of_the_page(client: TestClient, shown: LatentStore) -> None:
    label = shown.labels.titles[int(np.argmax(shown.labels.counts))]
    said = client.get("/api/telling", params={"label": label.upper(), "count": 96}).json()
    found = telling(shown, label)
    assert (said["label"], said["n_images"]) == (label, max(shown.labels.counts))
    assert said["phi_by_chance"] == found.by_chance > 0
    assert [row["phi"] for row in said["latents"]] == sorted(found.scores[np.isfinite(found.scores)], reverse=True)
    members = set(shown.images_of_label(int(np.argmax(shown.labels.counts))).tolist())
    for row in said["latents"]:
        gallery = shown.gallery(row["latent"]).image_ids.tolist()
        assert (row["n_active"], row["n_both"]) == (len(gallery), len(members & set(gallery)))
        assert row["name"] == display_name(shown, row["latent"]).text
    assert len(client.get("/api/telling", params={"label": label, "count": 3}).json()["latents"]) == 3
    answer = client.get("/api/telling?label=no+such")
    assert (answer.status_code, answer.json()["detail"]) == (422, "no picture carries the label “no such”")


def test_what_is_found_is_called_latent_or_image_everywhere(client: TestClient) -> None:
    """`id` stays for scripts that were written before."""
    for path, key in (("images/7/nearest", "image"), ("latents/3/similar", "latent"), ("search?text=red", "latent")):
        said = client.get(f"/api/{path}").json()
        said = said["latents"] if path.startswith("search") else said
        assert said and all(row[key] == row["id"] for row in said), path
    assert "name" not in client.get("/api/images/7/nearest").json()[0]


def test_a_gallery_is_read_to_its_very_end(client: TestClient, shown: LatentStore) -> None:
    latent = int(shown.latents.n_active.idxmax())
    whole, ids = shown.gallery(latent), []
    for start in range(0, len(whole.image_ids) + 7, 7):
        said = client.get(f"/api/latents/{latent}/gallery?start={start}&count=7").json()
        assert said["n"] == len(whole.image_ids)
        ids += [entry["image"] for entry in said["images"]]
    assert ids == whole.image_ids.tolist()


def test_an_image_has_its_code_and_its_neighbours(client: TestClient, shown: LatentStore) -> None:
    said = client.get("/api/images/7").json()
    assert [row["latent"] for row in said["code"]] == shown.code(7).latents.tolist()
    assert client.get(f"/{said['thumbnail']}").content == shown.thumbnail(7).data  # type: ignore[union-attr]
    near = client.get("/api/images/7/nearest?count=5").json()
    assert 7 not in [row["image"] for row in near]
    assert len(near) == 5
    assert near[0]["cosine"] >= near[-1]["cosine"]


def test_boolean_queries(client: TestClient, shown: LatentStore) -> None:
    first, second = shown.latents.n_active.nlargest(2).index.tolist()
    said = client.get(f"/api/images?all_of={first}&none_of={second}&count=200").json()
    wanted = set(shown.gallery(first).image_ids.tolist()) - set(shown.gallery(second).image_ids.tolist())
    assert {entry["image"] for entry in said["images"]} == wanted
    assert said["n"] == len(wanted)


def test_lists_of_latents_are_written_as_in_the_pages_too(client: TestClient, shown: LatentStore) -> None:
    a, b, c = (int(latent) for latent in shown.latents["n_active"].nlargest(3).index)
    repeated = client.get(f"/api/images?any_of={a}&any_of={b}&none_of={c}").json()
    assert repeated["n"] > 0
    for said in (f"{a},{b}", f"{a}, {b},", f"{a}&any_of={b}"):
        assert client.get(f"/api/images?any_of={said}&none_of={c}").json() == repeated
    many = ",".join(map(str, range(51)))
    assert "at most 50" in client.get(f"/api/images?any_of={many}").json()["detail"]
    assert "valid integer" in client.get("/api/images?any_of=3,cat").json()["detail"]
    described = client.get("/api/openapi.json").json()["paths"]["/images"]["get"]["parameters"]
    (any_of,) = (one for one in described if one["name"] == "any_of")
    assert any_of["schema"]["items"] == {"type": "integer"} and any_of["schema"]["maxItems"] == 50


def test_words_find_what_the_store_ranks(client: TestClient, shown: LatentStore) -> None:
    said = client.get("/api/search?text=red+things&count=5").json()
    embedding = shown.load_encoder().encode_texts(["red things"])[0].numpy()
    scores = np.nan_to_num(shown.text_scores(embedding), nan=-2)
    assert [row["id"] for row in said["latents"]] == np.argsort(-scores, kind="stable")[:5].tolist()


@pytest.mark.parametrize("against", ["centroids", "directions"])
def test_a_search_has_the_control_of_meaningless_texts(
    client: TestClient, shown: LatentStore, against: Against
) -> None:
    said = client.get("/api/search", params={"text": "red things", "against": against, "count": 3}).json()
    encoder = shown.load_encoder()
    best = []
    for embedding in encoder.encode_texts(["red things", *strings()]).numpy():
        scores = shown.text_scores(embedding, against)
        best.append((np.nanmax(scores) - np.nanmean(scores)) / np.nanstd(scores))
    assert said["latents"][0]["z"] == pytest.approx(best[0], rel=1e-4)
    assert said["control"]["median"] == pytest.approx(np.median(best[1:]), rel=1e-4)
    assert said["control"]["high"] == pytest.approx(np.quantile(best[1:], 0.95), rel=1e-4)
    assert said["stands_out"] is bool(best[0] > np.quantile(best[1:], 0.95))


def test_a_search_says_how_much_of_the_text_was_read(client: TestClient) -> None:
    for text, read in (("red things", 10), ("a lemon on a red table with a cup", len("a lemon on a red table "))):
        assert client.get("/api/search", params={"text": text}).json()["n_characters"] == read


def test_latents_that_are_named_twice_count_once(client: TestClient, shown: LatentStore) -> None:
    a, b, c = shown.latents.n_active.nlargest(3).index.tolist()
    for once, twice in (
        (f"all_of={a},{b}&none_of={c}", f"all_of={a},{b},0{a}&none_of={c}&none_of={c}"),
        (f"any_of={a},{b}", f"any_of={a},{b}&any_of={b}"),
    ):
        said = client.get(f"/api/images?{once}").json()
        assert said["n_by_chance"] > 0
        assert client.get(f"/api/images?{twice}").json() == said


def test_spaces_ask_for_nothing(client: TestClient) -> None:
    for name in ("words", "label", "text"):
        answer = client.get("/api/images", params={name: "  "})
        assert (answer.status_code, "say which images" in answer.text) == (422, True), name
    plain, spaced = (client.get("/api/images", params={"label": f"{space}red things"}) for space in ("", " "))
    assert spaced.json() == plain.json() and plain.json()["n"] > 0


def test_among_no_images_no_text_stands_out(client: TestClient) -> None:
    said = client.get("/api/images?text=red&words=no-image-says-this").json()
    assert (said["n"], said["text"]["z"], said["text"]["stands_out"]) == (0, None, False)


def test_images_by_words_label_and_meaning(client: TestClient, shown: LatentStore) -> None:
    latent = int(shown.latents.n_active.idxmax())
    said = client.get(f"/api/images?label=red things&words=number&none_of={latent}&count=200").json()
    own = {i for i in range(shown.n_images) if shown.image(i).label == "red things"}
    assert {entry["image"] for entry in said["images"]} == own - set(shown.gallery(latent).image_ids.tolist())
    assert all(entry["activation"] is None and entry["cosine"] is None for entry in said["images"])
    assert said["n_by_chance"] == pytest.approx(len(own) * (1 - shown.latents.density[latent]))
    assert said["text"] is None

    near = client.get(f"/api/images?text=red&all_of={latent}&count=200").json()
    cosines = [entry["cosine"] for entry in near["images"]]
    assert cosines == sorted(cosines, reverse=True) and len(cosines) == near["n"] == shown.gallery_size(latent)
    assert near["text"]["control"]["median"] <= near["text"]["control"]["high"]
    assert near["text"]["stands_out"] is (near["text"]["z"] > near["text"]["control"]["high"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("latents/96", 404),
        ("latents/-1", 404),
        ("latents/96/gallery", 404),
        ("images/180", 404),
        ("images?all_of=96", 404),
        ("images", 422),
        ("images?none_of=3", 422),
        ("images?label=no such label", 422),
        ("latents/x", 422),
        ("latents?count=100000", 422),
        ("latents/3/gallery?start=-1", 422),
        ("search?text=", 422),
        ("search?text=" + "a" * 301, 422),
        ("nothing", 404),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_json(client: TestClient, path: str, status: int) -> None:
    answer = client.get(f"/api/{path}")
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("latents/x", "latent: input should be a valid integer, unable to parse string as an integer"),
        ("latents?start=-1", "start: input should be greater than or equal to 0"),
        ("search", "text: field required"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(client: TestClient, path: str, said: str) -> None:
    assert client.get(f"/api/{path}").json() == {"detail": said}


def test_without_a_store_it_is_unavailable(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, "/nowhere")
    answer = client.get("/api/store")
    assert answer.status_code == 503
    assert "there is no store" in answer.json()["detail"]


def test_nothing_can_be_changed(client: TestClient) -> None:
    for method in ("post", "put", "delete", "patch"):
        assert getattr(client, method)("/api/latents/3").status_code == 405


def test_uploads_are_off_unless_allowed(client: TestClient) -> None:
    assert client.post("/api/encode", content=encoded(picture(3)[1])).status_code == 403


@pytest.fixture
def uploads(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv(UPLOADS_VARIABLE, "1")
    return client


def test_an_upload_has_the_code_of_its_picture(uploads: TestClient, shown: LatentStore) -> None:
    answer = uploads.post("/api/encode", content=encoded(picture(7)[1]))
    said = answer.json()
    assert answer.status_code == 200
    assert [row["latent"] for row in said["code"]] == shown.code(7).latents.tolist()
    assert said["nearest"][0]["id"] == 7
    assert -1 <= said["cosine"] <= 1
    assert said["notes"] == list(reduced(shown.manifest.encoder.preprocessing, encoded(picture(7)[1])).notes)


def test_an_upload_is_told_what_the_encoder_saw_instead_of_it(uploads: TestClient) -> None:
    frames = [Image.new("RGBA", (300, 90), (255, 0, 0, alpha)) for alpha in (0, 255)]
    data = io.BytesIO()
    frames[0].save(data, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    notes = uploads.post("/api/encode", content=data.getvalue()).json()["notes"]
    assert [note.split(",")[0] for note in notes] == [
        "only the middle",
        "what is transparent as white",
        "the first frame or page of several",
    ]


def test_bad_uploads_are_one_sentence(uploads: TestClient) -> None:
    assert uploads.post("/api/encode", content=b"<svg onload=alert(1)>").status_code == 422
    assert uploads.post("/api/encode", content=b"").status_code == 422
    large = uploads.post("/api/encode", content=b"x" * (MAX_MEGABYTES * 2**20 + 1))
    assert large.status_code == 413
    assert str(MAX_MEGABYTES) in large.json()["detail"]


def test_who_asks_too_often_is_told_to_wait(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RATE_VARIABLE, "3/minute")
    answers = [client.get("/api/store") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_hostile_text_stays_text(hostile_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(hostile_store))
    monkeypatch.setenv(RATE_VARIABLE, "10000/minute")
    answer = TestClient(Starlette(routes=routes()), base_url="http://localhost").get("/api/images/1")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["caption"] == f"{HOSTILE} 1"


def test_the_description_names_every_answer() -> None:
    described = create_api().openapi()
    paths = described["paths"]
    assert set(paths) == {
        "/store",
        "/latents",
        "/latents/{latent}",
        "/latents/{latent}/counterparts",
        "/latents/{latent}/gallery",
        "/latents/{latent}/similar",
        "/duplicates",
        "/controls",
        "/images",
        "/images/{image}",
        "/images/{image}/nearest",
        "/search",
        "/telling",
        "/encode",
    }
    for path, methods in paths.items():
        for method in methods.values():
            assert method["summary"], path
            assert method["responses"]["200"]["content"]["application/json"]["schema"], path
    json.dumps(described)


@pytest.fixture
def served(client: TestClient) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes()), port=0, log_level="error"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # early clients wait in the queue
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def test_the_example_of_the_docs(served: str, capsys: pytest.CaptureFixture[str], shown: LatentStore) -> None:
    spec = importlib.util.spec_from_file_location("example", ROOT / "docs" / "examples" / "api.py")
    assert spec and spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main(served, "red things")
    said = capsys.readouterr().out
    assert f"{shown.n_images:,} images, {shown.n_latents:,} latents" in said
    assert said.count("cosine") == 3
    assert "active together in" in said
