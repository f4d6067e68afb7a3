"""Downloads: the right rows, no formulas, file names that every system takes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import notes
from explorer.notes.exchange import imported
from explorer.routes import routes
from explorer.stores import STORE_VARIABLE, current_store
from explorer.views.names import display_name
from sae_core import LatentStore
from tests.support.hostile import HOSTILE


@pytest.fixture
def client(shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("SPARSIGHT_NOTES", str(tmp_path / "n.sqlite"))
    return TestClient(Starlette(routes=routes()), base_url="http://localhost")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_of_a_list(client: TestClient, shown: LatentStore) -> None:
    answer = client.get("/export/latents.csv?latents=7,3,12&title=Mine")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    rows = table(answer.text)
    assert [row["latent"] for row in rows] == ["7", "3", "12"]
    assert {row["sae"] for row in rows} == {shown.manifest.sae.fingerprint}, "numbers alone name no latents"
    assert answer.text.splitlines()[0].endswith(",sae")
    assert set(rows[0]) >= {"name", "note", "automatic_name", *shown.latents.columns} - {"name"}
    for row in rows:
        figures = shown.latents.loc[int(row["latent"])]
        assert row["name"] == (display_name(shown, int(row["latent"])).text or "")
        assert np.float32(row["max_activation"]) == np.float32(figures["max_activation"])
        assert float(row["density"]) == figures["density"]
    assert client.get("/export/latents.csv?latents=7&latents=3,12&title=Mine").text == answer.text


def test_without_a_list_all_latents(client: TestClient, shown: LatentStore) -> None:
    rows = table(client.get("/export/latents.csv").text)
    assert [int(row["latent"]) for row in rows] == list(range(shown.n_latents))
    entries = json.loads(client.get("/export/latents.json").text)
    assert len(entries["latents"]) == shown.n_latents
    assert entries["sae"] == shown.manifest.sae.fingerprint


def test_json_has_null_where_there_is_no_figure(client: TestClient, shown: LatentStore) -> None:
    dead = int(shown.latents.index[shown.latents["n_active"] == 0][0])
    answer = client.get(f"/export/latents.json?latents={dead}&title=<b>")
    data = json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    (entry,) = data["latents"]
    assert (entry["latent"], entry["n_active"], entry["name"], entry["label_purity"]) == (dead, 0, None, None)
    assert data["title"] == "<b>"


def test_controls_have_a_line_each(client: TestClient, shown: LatentStore) -> None:
    answer = client.get("/export/controls.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "controls.csv" in answer.headers["content-disposition"]
    assert shown.controls is not None
    rows = table(answer.text)
    assert [row["kind"] for row in rows] == shown.controls["kind"].tolist()
    assert {row["sae"] for row in rows} == {shown.manifest.sae.fingerprint}
    assert [int(row["like_latent"]) for row in rows] == shown.controls["like_latent"].tolist()
    for row, purity in zip(rows, shown.controls["label_purity"], strict=True):
        assert np.float32(row["label_purity"]) == purity if row["label_purity"] else np.isnan(purity)


def test_a_store_without_controls_has_no_file_of_them(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_store(), "controls", None)
    answer = client.get("/export/controls.csv")
    assert (answer.status_code, "built without" in answer.text) == (404, True)
    assert client.get("/api/controls").json() == []


def test_an_empty_list_is_an_empty_file(client: TestClient) -> None:
    assert json.loads(client.get("/export/latents.json?latents=").text)["latents"] == []
    assert client.get("/export/latents.csv?latents=").text.startswith("latent,name,")
    assert table(client.get("/export/latents.csv?latents=").text) == []


@pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@x", "\t=1", '=HYPERLINK("http://x")'])
def test_no_cell_is_a_formula(client: TestClient, shown: LatentStore, said: str) -> None:
    notes.note_book(shown).save(3, "a", f"{said}", 0)
    (row,) = table(client.get("/export/latents.csv?latents=3").text)
    assert row["note"] == f"'{said.strip()}"
    assert float(row["x"]) == pytest.approx(float(shown.latents.loc[3, "x"])), "numbers may be negative"
    (entry,) = json.loads(client.get("/export/latents.json?latents=3").text)["latents"]
    assert entry["note"] == said.strip()


def test_a_persons_name_is_in_the_file(client: TestClient, shown: LatentStore) -> None:
    notes.note_book(shown).save(3, "citrus, “cut”", "", 0)
    (row,) = table(client.get("/export/latents.csv?latents=3").text)
    assert (row["name"], row["name_from_a_person"]) == ("citrus, “cut”", "True")
    assert row["automatic_name"] == (shown.latents.loc[3, "name"] or "")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("latents=x", "takes numbers with commas"),
        ("latents=1,-2", "takes numbers with commas"),
        ("latents=²", "takes numbers with commas"),
        ("latents=99999", "there is no latent 99999"),
        ("latents=" + ",".join(map(str, range(501))), "at most 500"),
    ],
)
def test_a_wrong_list_is_a_sentence(client: TestClient, query: str, said: str) -> None:
    for kind in ("csv", "json"):
        answer = client.get(f"/export/latents.{kind}?{query}")
        assert answer.status_code == 400
        assert said in answer.text
        assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "title", ['a"; filename="evil.exe', "../../etc/passwd", "a\r\nSet-Cookie: x=1", "Zitrusfrüchte 🍋", "…"]
)
def test_file_names(client: TestClient, title: str) -> None:
    answer = client.get("/export/latents.csv", params={"latents": "3", "title": title})
    said = answer.headers["content-disposition"]
    plain = said.split('"')[1]
    assert said.startswith('attachment; filename="')
    assert said.count('"') == 2
    assert all(char.isascii() and (char.isalnum() or char in "-_.") for char in plain)
    assert plain.endswith(".csv")
    assert ".." not in plain
    assert "set-cookie" not in answer.headers


def test_hostile_texts_stay_texts(
    hostile_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: TestClient
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(hostile_store))
    rows = table(client.get("/export/latents.csv").text)
    labels = {row["top_label"] for row in rows if row["top_label"]}
    assert any(HOSTILE in label for label in labels)
    assert len(rows) == LatentStore.open(hostile_store).n_latents


def test_notes_go_out_and_come_in(client: TestClient, shown: LatentStore) -> None:
    book = notes.note_book(shown)
    book.save(3, "citrus", "=1", 0)
    answer = client.get("/export/notes.json")
    assert answer.headers["content-disposition"].endswith(".json")
    assert imported(answer.content, book) == {3: ("citrus", "=1")}


def test_notes_that_cannot_be_read_are_a_sentence(client: TestClient, shown: LatentStore) -> None:
    notes.note_book(shown).path.write_bytes(b"no database" * 100)
    answer = client.get("/export/notes.json")
    assert (answer.status_code, answer.text.count("\n")) == (503, 1)
    assert "is damaged" in answer.text
    assert client.get("/export/latents.csv?latents=3").status_code == 200, "the figures need no notes"


def test_without_a_store(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, "/nowhere")
    for path in ("latents.csv", "latents.json", "notes.json"):
        assert client.get(f"/export/{path}").status_code == 503
