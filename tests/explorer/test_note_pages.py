"""Names and notes on the pages: given, seen everywhere, undone, in conflict, read-only, damaged."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import notes
from explorer.notes.exchange import exported
from explorer.stores import STORE_VARIABLE
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE


@pytest.fixture
def noted(shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LatentStore:
    """The small store, with notes of its own."""
    monkeypatch.setenv("SPARSIGHT_NOTES", str(tmp_path / "n.sqlite"))
    return shown


def fill(app: AppTest, name: str, text: str) -> AppTest:
    app.text_input[0].set_value(name)
    app.text_area[0].set_value(text)
    button(app, "save").click()
    return app.run()


def button(app: AppTest, label: str) -> object:
    return next(button for button in app.button if button.label == label)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_a_name_is_given_and_undone(noted: LatentStore) -> None:
    app = run_page("latent", latent="7")
    assert labels(app) == ["save"], "there is nothing to undo yet"
    html = html_of(fill(app, "citrus <b>", "one\n<i>two</i>"))
    assert '<b class="sp-given" data-tip="named by a person; automatic:' in html
    assert "citrus &lt;b&gt;" in html
    assert "&lt;i&gt;two&lt;/i&gt;" in html
    assert "citrus &lt;b&gt;" in html_of(run_page("latents", sort="number")), "and on every card"
    assert (app.text_input[0].value, app.text_area[0].value) == ("citrus <b>", "one\n<i>two</i>")
    button(app, "undo the last change").click()
    html = html_of(app.run())
    assert "citrus" not in html.split("sp-history")[0]
    assert "undone: back to <i>nothing</i>" in html
    assert app.text_input[0].value == ""


def test_the_form_of_another_latent_is_empty(noted: LatentStore) -> None:
    app = fill(run_page("latent", latent="7"), "citrus", "note")
    app.query_params["latent"] = "8"
    app.run()
    assert (app.text_input[0].value, app.text_area[0].value) == ("", "")


def test_two_people_at_once(noted: LatentStore) -> None:
    app = run_page("latent", latent="7")
    book = notes.note_book(noted)
    book.save(7, "theirs <b>", "", 0)
    html = html_of(fill(app, "mine <i>", "my note"))
    assert "Not saved: somebody changed this meanwhile" in html
    assert "theirs &lt;b&gt;" in html
    assert "mine &lt;i&gt;" in html
    assert book.get(7).name == "theirs <b>", "nothing is written over"
    button(app, "save yours instead").click()
    assert "Not saved" not in html_of(app.run())
    assert (book.get(7).name, book.get(7).text) == ("mine <i>", "my note")
    assert [change.name for change in book.history(7)] == ["mine <i>", "theirs <b>"]


def test_keeping_what_stands_there(noted: LatentStore) -> None:
    app = run_page("latent", latent="7")
    notes.note_book(noted).save(7, "theirs", "", 0)
    fill(app, "mine", "")
    button(app, "keep what stands there").click()
    html = html_of(app.run())
    assert "Not saved" not in html
    assert notes.note_book(noted).get(7).name == "theirs"


def test_a_save_that_fails_is_a_sentence(noted: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.notes.database._WAIT", 0.05)
    book = notes.note_book(noted)
    book.save(7, "before", "", 0)
    app = run_page("latent", latent="7")
    with closing(sqlite3.connect(book.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        html = html_of(fill(app, "after", ""))
        other.execute("ROLLBACK")
    assert "in use by somebody else; try again in a moment." in html
    assert app.text_input[0].value == "after", "what was typed is still there"
    assert book.get(7).name == "before"


def test_read_only_has_no_edit_control(noted: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.note_book(noted).save(7, "citrus", "a note", 0)
    monkeypatch.setenv("SPARSIGHT_READ_ONLY", "1")
    app = run_page("latent", latent="7")
    html = html_of(app)
    assert "citrus" in html
    assert "a note" in html
    assert (len(app.text_input), len(app.text_area), len(app.button)) == (0, 0, 0)
    app = run_page("notes")
    assert "This explorer is read-only." in html_of(app)
    assert len(app.file_uploader) == 0


def test_a_folder_that_cannot_be_written_says_so(noted: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARSIGHT_NOTES", "/nowhere/n.sqlite")
    app = run_page("latent", latent="7")
    assert "Notes cannot be saved: the folder /nowhere does not exist." in html_of(app)
    assert len(app.text_input) == 0


@pytest.mark.parametrize("page", ["home", "latents", "latent", "notes", "list"])
def test_a_damaged_file_leaves_every_page_standing(noted: LatentStore, page: str) -> None:
    notes.note_book(noted).path.write_bytes(b"no database" * 100)
    app = run_page(page, latent="7", latents="7,8")
    html = html_of(app)
    assert "This cannot be shown" not in html
    assert ("is damaged" in html) == (page in ("latent", "notes"))
    assert not [one for one in app.button if one.label == "save"]


def test_the_notes_page(noted: LatentStore) -> None:
    assert "Nobody has named a latent yet" in html_of(run_page("notes"))
    book = notes.note_book(noted)
    for latent in range(60):
        book.save(latent, f"name {latent}" if latent % 2 else "", "" if latent % 2 else "<b>only</b> a note", 0)
    html = html_of(run_page("notes"))
    assert html.count('class="sp-noterow"') == 48
    assert "60\u00a0latents named or noted" in html
    assert "&lt;b&gt;only&lt;/b&gt; a note" in html
    assert 'href="export/notes.json" download' in html
    assert html_of(run_page("notes", page="2")).count('class="sp-noterow"') == 12


def upload(app: AppTest, data: bytes) -> str:
    app.file_uploader[0].upload("notes.json", data, "application/json").run()
    return html_of(app)


def test_import_with_a_preview(noted: LatentStore, tmp_path: Path) -> None:
    theirs = notes.NoteBook(tmp_path / "theirs.sqlite", noted.manifest.sae.fingerprint, noted.n_latents)
    for latent, name in ((3, "same"), (4, "theirs <b>"), (5, "new")):
        theirs.save(latent, name, "", 0)
    mine = notes.note_book(noted)
    mine.save(3, "same", "", 0)
    mine.save(4, "mine", "", 0)
    app = run_page("notes")
    html = upload(app, exported(noted, theirs).encode())
    assert "1 new, 1 the same, 1 conflicting" in html
    assert "theirs &lt;b&gt;" in html
    assert mine.get(5).empty, "a preview writes nothing"
    app.radio[0].set_value("theirs").run()
    button(app, "import").click()
    assert "2 changed" in html_of(app.run())
    assert [mine.get(latent).name for latent in (3, 4, 5)] == ["same", "theirs <b>", "new"]


@pytest.mark.parametrize(("data", "said"), [(b"{", "This file is no JSON"), (b"[]", "This file is no notes file")])
def test_a_wrong_file_is_one_sentence(noted: LatentStore, data: bytes, said: str) -> None:
    assert said in upload(run_page("notes"), data)


def test_a_file_of_another_sae_is_refused(noted: LatentStore) -> None:
    file = json.loads(exported(noted, notes.note_book(noted))) | {"sae": "b" * 64}
    app = run_page("notes")
    assert "These are notes on another SAE (bbbbbbbbbbbb" in upload(app, json.dumps(file).encode())
    assert "import" not in labels(app)


def test_list_page(noted: LatentStore) -> None:
    first, second = np.flatnonzero(noted.latents["n_active"])[[3, 1]].tolist()
    html = html_of(run_page("list", latents=f"{first},{second},{noted.n_latents + 7}", title="<b>mine</b>"))
    assert html.index(f'aria-label="#{first} ·') < html.index(f'aria-label="#{second} ·')
    assert "&lt;b&gt;mine&lt;/b&gt;" in html
    assert f"Not in this store, which has latents 0 … {noted.n_latents - 1}: #{noted.n_latents + 7}." in html
    assert f'data-this-list="{first},{second}"' in html
    mark = noted.manifest.sae.fingerprint[:8]
    assert f'<input type="hidden" name="sae" value="{mark}">' in html
    assert f'href="list?latents={second},{first}&amp;title=%3Cb%3Emine%3C%2Fb%3E&amp;sae={mark}" data-list-edit' in html
    assert f'href="export/latents.csv?latents={first},{second}&amp;title=%3Cb%3Emine%3C%2Fb%3E" download' in html


def test_list_page_without_latents(noted: LatentStore) -> None:
    assert "No latents in this list" in html_of(run_page("list"))


def test_list_page_over_the_limit(noted: LatentStore) -> None:
    html = html_of(run_page("list", latents=",".join(map(str, range(1203)))))
    assert "A list holds at most 500 latents; of the 1,203 in this address, the first 500 are here." in html


def test_hostile_texts_on_lists_and_notes(hostile_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARSIGHT_NOTES", str(tmp_path / "n.sqlite"))
    monkeypatch.setenv(STORE_VARIABLE, str(hostile_store))
    store = LatentStore.open(hostile_store)
    alive = int(store.latents["n_active"].idxmax())
    notes.note_book(store).save(alive, HOSTILE[:80], HOSTILE, 0)
    for page in ("list", "notes", "latent"):
        html = html_of(run_page(page, latents=str(alive), latent=str(alive), title=HOSTILE))
        assert "&lt;script&gt;alert(2)" in html
        for bad in ("<script", "<img src=x", "style='position"):
            assert bad not in html, page
