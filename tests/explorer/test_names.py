"""What a latent is called: one place decides."""

from __future__ import annotations

from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer import notes
from explorer.directions import isolated
from explorer.sections.parts import name_text
from explorer.views.names import borne_names, display_name
from explorer.views.parts import latent_ref
from sae_core.naming import MIN_GOOD
from sae_core.store.hidden import Hidden


def a_store(**columns: list[object]) -> Any:
    unknown = {"name_carried": [np.nan], "name_carried_by_chance": [np.nan]}
    frame = pd.DataFrame({"density": [0.1], **unknown, **columns})
    manifest = SimpleNamespace(sae=SimpleNamespace(fingerprint="a" * 64))
    return SimpleNamespace(
        latents=frame, n_latents=len(frame), path=Path("/nowhere/store"), manifest=manifest, hidden=Hidden()
    )


def test_a_good_name_is_shown_with_its_score() -> None:
    store = a_store(
        name=["lemon"], name_score=[0.91], name_low=[0.88], name_good=[True], name_source=["label"], name_match=["clip"]
    )
    name = display_name(store, 0)
    assert (name.text, name.guess, name.source) == ("lemon", None, "label")
    assert name.auc == "AUC 0.91 (≥ 0.88)"
    assert name.hint == ""
    assert latent_ref(store, 0).text.startswith("#0 · ~lemon")


def test_a_name_that_is_not_good_names_nothing() -> None:
    store = a_store(
        name=["<b>"], name_score=[0.62], name_low=[0.55], name_good=[False], name_source=["word"], name_match=["clip"]
    )
    name = display_name(store, 0)
    assert (name.text, name.guess) == (None, "<b>")
    hint = "no name fits: best guess “<b>”, AUC 0.62 (≥ 0.55), less than the 0.85 of a good name"
    assert name.hint == hint
    assert latent_ref(store, 0).text.startswith("#0 · unnamed")
    html = name_text(latent_ref(store, 0))
    assert html == f'<i data-tip="{escape(hint)}">unnamed</i>'


def test_the_sign_of_a_name_by_clip_is_in_plots_and_tables_too() -> None:
    store = a_store(
        name=["a lemon <b>"],
        name_score=[0.9],
        name_low=[0.8],
        name_good=[True],
        name_source=["word"],
        name_match=["clip"],
    )
    ref = latent_ref(store, 0)
    assert (ref.in_plots(7), ref.in_tables) == ("#0 ~a lemo…", "~a lemon <b>")
    assert ref.text.startswith("#0 · ~a lemon")
    store.latents["name_match"] = ["text"]
    ref = latent_ref(store, 0)
    assert (ref.in_plots(40), ref.in_tables) == ("#0 a lemon <b>", "a lemon <b>")
    store.latents["name_good"] = [False]
    ref = latent_ref(store, 0)
    assert (ref.in_plots(40), ref.in_tables) == ("#0 unnamed", "")


def test_a_guess_says_by_what_it_failed() -> None:
    columns = {"name": ["red"], "name_good": [False], "name_source": ["label"], "name_match": ["text"]}
    store = a_store(name_score=[0.75], name_low=[0.64], **columns)
    hint = display_name(store, 0).hint
    assert hint.endswith("AUC 0.75 (≥ 0.64), its lower bound less than the 0.65 of a good name")


@pytest.mark.parametrize(
    ("score", "low", "said"),
    [
        (0.748, 0.66, "AUC 0.748 (≥ 0.66), a little less than the 0.75 of a good name"),
        (0.748, 0.64, "AUC 0.748 (≥ 0.64), a little less than the 0.75 of a good name"),
        (0.74996, 0.66, "AUC 0.74996 (≥ 0.66), a little less than the 0.75 of a good name"),
        (0.744, 0.66, "AUC 0.74 (≥ 0.66), less than the 0.75 of a good name"),
        (0.75, 0.6496, "AUC 0.75 (≥ 0.6496), its lower bound less than the 0.65 of a good name"),
    ],
)
def test_a_figure_that_rounds_to_what_it_lacks_has_more_digits(score: float, low: float, said: str) -> None:
    columns = {"name": ["red"], "name_good": [False], "name_source": ["label"], "name_match": ["text"]}
    store = a_store(name_score=[score], name_low=[low], **columns)
    assert display_name(store, 0).hint.endswith(said)


@pytest.mark.parametrize(
    ("match", "carried", "by_chance", "marked"),
    [
        ("text", np.nan, np.nan, False),
        ("clip", np.nan, np.nan, True),
        ("clip", 2.0, 0.1, True),
        ("clip", 3.0, 0.1, False),
        ("clip", 3.0, 1.1, True),  # as many as by chance would be 1
        ("clip", 4.0, 1.3, False),
    ],
)
def test_a_name_that_pictures_do_not_bear_out_is_marked(
    match: str, carried: float, by_chance: float, marked: bool
) -> None:
    columns = {"name": ["red"], "name_good": [True], "name_source": ["word"], "name_score": [0.9], "name_low": [0.8]}
    said = {"name_carried": [carried], "name_carried_by_chance": [by_chance]}
    store = a_store(name_match=[match], **columns, **said)
    assert ('class="sp-byclip"' in name_text(latent_ref(store, 0))) == marked
    assert borne_names(store.latents).tolist() == [1.0 - marked] or np.isnan(carried)
    assert display_name(store, 0).carried == (None if np.isnan(carried) else int(carried))


def test_whether_names_are_borne_out_is_not_known_of_an_older_store() -> None:
    latents = a_store(name_match=["text"], name_good=[True]).latents
    assert borne_names(latents).isna().all()


@pytest.mark.parametrize(
    ("good", "said"),
    [(True, "automatic: lemon, AUC 0.91 (≥ 0.88)"), (False, "automatic: unnamed")],
)
def test_a_persons_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: bool, said: str) -> None:
    monkeypatch.setenv("SPARSIGHT_NOTES", str(tmp_path / "n.sqlite"))
    store = a_store(
        name=["lemon"], name_score=[0.91], name_low=[0.88], name_good=[good], name_source=["label"], name_match=["clip"]
    )
    notes.note_book(store).save(0, "<b>citrus", "", 0)
    name = display_name(store, 0)
    assert (name.text, name.source, name.score) == ("<b>citrus", "person", None)
    assert name.hint == f"named by a person; {said}"
    html = name_text(latent_ref(store, 0))
    assert html == f'<b class="sp-given" data-tip="named by a person; {said}">&lt;b&gt;citrus</b>'
    notes.note_book(store).save(0, "", "only a note", notes.texts(store)[0].revision)
    assert display_name(store, 0).source == "label"


def test_a_guess_in_too_few_pictures_has_no_score() -> None:
    store = a_store(
        name=["red"],
        name_score=[np.nan],
        name_low=[np.nan],
        name_good=[False],
        name_source=["word"],
        name_match=["clip"],
    )
    assert display_name(store, 0).hint == "no name fits: best guess “red”, in too few pictures to be scored"


@pytest.mark.parametrize(("match", "score", "few"), [("clip", 0.86, True), ("clip", 0.84, False), ("text", 0.84, True)])
def test_a_high_score_in_few_pictures_is_said_to_be_one(match: str, score: float, few: bool) -> None:
    store = a_store(
        name=["red"], name_score=[score], name_low=[0.8], name_good=[False], name_source=["word"], name_match=[match]
    )
    hint, auc = display_name(store, 0).hint, f"best guess “red”, AUC {score} (≥ 0.80)"
    sure = f"too few pictures to be sure of a name: {auc} on fewer than {MIN_GOOD} pictures that did not choose it"
    assert hint == (sure if few else f"no name fits: {auc}, less than the 0.85 of a good name")


def test_only_texts_that_could_disturb_a_line_are_isolated() -> None:
    assert isolated("Änne’s <b> 🏴") == "Änne’s <b> 🏴"
    assert isolated("flag مرحبا") == "\u2068flag مرحبا\u2069"
    assert isolated("a\u202eb\u2069") == "\u2068ab\u2069", (
        "what turns letters around, or ends the isolation, is left out"
    )


def test_a_dead_latent_has_not_even_a_guess() -> None:
    store = a_store(
        name=[None], name_score=[np.nan], name_low=[np.nan], name_good=[False], name_source=[None], name_match=["clip"]
    )
    name = display_name(store, 0)
    assert (name.text, name.guess, name.hint, name.auc) == (None, None, "", "")
    assert name_text(latent_ref(store, 0)) == "<i>unnamed</i>"
