"""Finding latents: what the address may ask, filters and orders."""

from __future__ import annotations

from dataclasses import fields
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pandas as pd
import pytest

from explorer.notes import Note
from explorer.sections import latents as sections
from explorer.views.chips import chips_of
from explorer.views.latent_table import LatentTable, latent_table
from explorer.views.latents import PER_PAGE, build_latents
from explorer.views.latents_matching import matching
from explorer.views.latents_query import SORTS, LatentsQuery
from explorer.views.rankings import Ranking
from explorer.views.striking import MAX_DENSITY, MIN_PICTURES, rule_for, striking, striking_order
from sae_core import LatentStore
from sae_core.store.layout import LATER_COLUMNS

EVERYTHING = {
    "q": "red",
    "label": "red things",
    "text": "a red picture",
    "by": "directions",
    "image": "3",
    "again": "0123456789ab",
    "least": "yes",
    "tells": "red things",
    "sort": "rare",
    "life": "alive",
    "min": "0.001",
    "max": "0.9",
    "purity": "0.25",
    "score": "0.6",
    "names": "weak",
    "region": "-1.5,2.25,-0.5,3.0",
    "latents": "12,3,77",
}


NO_FIGURES = ("label_purity", "name_score", "monosemanticity", "split_half", *LATER_COLUMNS)


def table(**columns: list[object]) -> LatentTable:
    return LatentTable(frame(**columns))


def frame(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    nothing = {name: [np.nan] * n for name in NO_FIGURES}
    plain = {"n_active": [50] * n, "density": [0.01] * n, "max_activation": [1.0] * n, "x": [0.0] * n, "y": [0.0] * n}
    texts = {name: pd.Series([None] * n, dtype=object) for name in ("top_label", "name", "name_match")}
    return pd.DataFrame({**plain, **nothing, **texts, "name_good": [True] * n}).assign(**columns)


def found(latents: LatentTable, /, given: dict[int, Note] | None = None, **asked: str) -> list[int]:
    return matching(latents, LatentsQuery.from_params(asked), given=given).tolist()


def random_frame(n: int = 500, seed: int = 0) -> pd.DataFrame:
    """Dead latents, missing figures and ties."""
    rng = np.random.default_rng(seed)
    n_active = rng.integers(0, 40, n) * (rng.random(n) > 0.1)
    missing = np.where((n_active == 0) | (rng.random(n) < 0.1), np.nan, 1.0)
    return frame(
        n_active=n_active,
        density=n_active / 400,
        max_activation=np.where(n_active > 0, rng.integers(1, 9, n), 0).astype(np.float32),
        **{
            name: (missing * rng.integers(0, 9, n) / 8).astype(np.float32)
            for name in ("label_purity", "name_score", "monosemanticity", "split_half")
        },
    )


# What is asked


def test_bad_values_count_as_absent() -> None:
    bad = {
        "sort": "up",
        "life": "x",
        "min": "7",
        "max": "nan",
        "purity": "0x1",
        "score": "-0.5",
        "names": "best",
        "by": "words",
        "image": "-3",
        "region": "1,2,3",
        "latents": "a,,-4,1.5",
        "page": "-1",
        "q": "  ",
    }
    assert LatentsQuery.from_params(bad) == LatentsQuery()
    assert LatentsQuery.from_params({"region": "0,1,0,inf"}).region is None
    assert LatentsQuery.from_params({"min": "٠.٥", "purity": "1e-2"}) == LatentsQuery(purity="1e-2")
    assert LatentsQuery.from_params({"region": "2,1,0,-1"}).region == (1.0, 2.0, -1.0, 0.0)
    assert LatentsQuery.from_params({"latents": "7, 3,x,7,12"}).latents == (7, 3, 12)


def test_what_is_left_out_of_the_address_is_said(store: LatentStore) -> None:
    asked = {"latents": "1,2,abc,99999", "min": "5", "region": "1,2", "sort": "xyz", "page": "two", "life": "dead"}
    query = LatentsQuery.from_params(asked)
    assert query.left_out == ("sort=xyz", "region=1,2", "min=5", "page=two", "abc")
    assert "left_out" not in query.url()
    view = build_latents(store, query)
    assert view.left_out[-1] == "#99999"
    html = sections.summary(view)
    assert "Left out of this address: “sort=xyz”, “region=1,2”, “min=5”, “page=two”, “abc” …." in html
    assert "Left out" not in sections.summary(build_latents(store, LatentsQuery.from_params({"latents": "#1,2"})))


def test_the_address_says_everything() -> None:
    query = LatentsQuery.from_params(EVERYTHING)
    assert query.params == EVERYTHING
    assert set(EVERYTHING) == {field.name for field in fields(LatentsQuery)} - {"page", "left_out"}
    assert LatentsQuery.from_params(query.params) == query
    assert LatentsQuery().params == {}
    assert LatentsQuery(by="directions").params == {}, "compared with what says nothing without a text"


@pytest.mark.parametrize(
    ("said", "number"),
    [("123", 123), ("#123", 123), ("# 7", 7), ("1,234", 1234), ("12,34", None), ("a1", None), ("", None), ("²", None)],
)
def test_a_number_means_a_latent(said: str, number: int | None) -> None:
    assert LatentsQuery(q=said).number == number


def test_every_chip_removes_its_own_filter() -> None:
    query = LatentsQuery.from_params({**EVERYTHING, "page": "4"})
    chips = chips_of(query)
    assert {chip.name for chip in chips} == set(EVERYTHING) - {"by", "sort", "least"}
    assert len({chip.text for chip in chips}) == len(chips)
    for chip in chips:
        assert chip.href == query.without(chip.name).url()
        gone = {chip.name, {"text": "by", "again": "least"}.get(chip.name)}
        assert query.without(chip.name).params == {k: v for k, v in EVERYTHING.items() if k not in gone}
        assert "page=" not in chip.href


# Filters and orders


def test_matching_words_numbers_and_orders() -> None:
    latents = table(
        name=["citrus slices", None, "Clock_face", "7 dwarfs"],
        top_label=["fruit", "tabby cat", "clock", None],
        max_activation=[1.0, 4.0, 3.0, 2.0],
        n_active=[50, 0, 50, 50],
        density=[0.01, 0.0, 0.2, 0.05],
        label_purity=[0.9, np.nan, 0.4, 0.6],
    )
    assert found(latents, q="citrus fruit") == [0]
    assert found(latents, q="clock face") == [2]
    assert found(latents, q="CAT") == [1]
    assert found(latents, q="(") == []
    assert found(latents, q="2") == [2]
    assert found(latents, q="7") == [3]
    assert found(latents, q="9999") == []
    assert found(latents, sort="activation") == [2, 3, 0, 1], "the dead one last"
    assert found(latents, sort="rare") == [0, 3, 2, 1]
    assert found(latents, sort="number") == [0, 1, 2, 3]
    assert found(latents, life="dead") == [1]
    assert found(latents, min="0.01", max="0.1", sort="number") == [0, 3]
    assert found(latents, purity="0.5", sort="purity") == [0, 3]


def test_a_name_that_is_not_good_is_not_searched() -> None:
    latents = table(name=["apple", "apple pie"], name_good=[True, False])
    assert found(latents, q="apple") == [0]
    assert found(latents, q="pie") == []


def test_names_given_by_people_are_searched_too() -> None:
    latents = table(name=["apple", None, None], top_label=["fruit", "fruit", None], name_good=[True, False, False])
    given = {1: Note(1, "my Pear_tree"), 2: Note(2, None, "a note on quinces"), 99: Note(99, "of another store")}
    assert found(latents, q="pear fruit", given=given) == [1]
    assert found(latents, q="pear") == []
    assert found(latents, q="fruit", sort="number", given=given) == [0, 1]
    assert found(latents, q="Quinces", given=given) == [2]
    assert found(latents, names="good", sort="number", given=given) == [0, 1]
    assert found(latents, names="weak", given=given) == [2]


def test_labels_are_matched_exactly() -> None:
    latents = table(top_label=["tabby", "tabby", "cat", None])
    assert found(latents, label="tabby", sort="number") == [0, 1]
    assert found(latents, label="Tabby", sort="number") == [0, 1]
    assert found(latents, label="tab") == []
    assert found(latents, q="tabby", sort="number") == [0, 1]
    assert latents.labels == ["tabby", "cat"], "those of most latents first"


def test_ranges_leave_out_what_has_no_figure() -> None:
    latents = table(
        name_score=[0.9, np.nan, 0.5, 0.7],
        label_purity=[np.nan, 0.9, 0.9, 0.9],
        x=[0.0, 1.0, 2.0, 3.0],
        y=[0.0, 1.0, 2.0, 3.0],
    )
    assert found(latents, score="0", sort="number") == [0, 2, 3]
    assert found(latents, score="0.7", sort="number") == [0, 3]
    assert found(latents, purity="0.5", score="0.6") == [3]
    assert found(latents, region="0.5,2.5,0,9", sort="number") == [1, 2]
    assert found(latents, region="0,9,2,2", sort="number") == [2]


def test_dead_latents_are_not_weakly_named() -> None:
    latents = table(density=[0.1, 0.0], n_active=[4, 0], name_good=[False, False])
    assert found(latents, names="weak") == [0]


def test_a_chosen_set_keeps_its_order_until_one_is_asked_for() -> None:
    latents = table(max_activation=[1.0, 2.0, 3.0, 4.0])
    assert found(latents, latents="2,0,99,3") == [2, 0, 3]
    assert found(latents, latents="2,0,3", sort="number") == [0, 2, 3]
    assert found(latents, latents="2,0,3", sort="activation") == [3, 2, 0]
    assert found(latents, latents="99") == []


@pytest.mark.parametrize("sort", [key for key, (_, column, _) in SORTS.items() if column])
def test_orders_agree_with_pandas(sort: str) -> None:
    latents = random_frame()
    _, column, ascending = SORTS[sort]
    few = (latents["n_active"] < MIN_PICTURES) & (sort in {"purity", "score", "mono", "stable"})
    keyed = latents.assign(_dead=latents["density"] == 0, _unknown=latents[column].isna(), _few=few)
    keys = ["_dead", "_unknown", "_few", column]
    expected = keyed.sort_values(keys, ascending=[True, True, True, ascending], kind="stable")
    assert LatentTable(latents).order(sort).tolist() == expected.index.tolist()


def test_a_figure_of_few_pictures_does_not_win(store: LatentStore) -> None:
    """One picture is always pure."""
    latents = table(n_active=[1, 40, 11, 12], label_purity=[1.0, 0.5, 0.9, 0.6], density=[0.1] * 4)
    assert latents.order("purity").tolist() == [3, 1, 0, 2]
    assert latents.order("frequent").tolist() == [0, 1, 2, 3]
    view = build_latents(store, LatentsQuery(sort="purity"))
    assert "fewer than 12 pictures come behind" in sections.summary(view)
    assert "come behind" not in sections.summary(build_latents(store, LatentsQuery(sort="frequent")))
    assert "Most striking first" in sections.summary(build_latents(store, LatentsQuery()))


def test_striking_order_agrees_with_pandas() -> None:
    latents = random_frame().assign(name_good=np.random.default_rng(1).random(500) < 0.5)
    alive, medium = latents["n_active"] > 0, (latents["n_active"] >= MIN_PICTURES) & (latents["density"] <= MAX_DENSITY)
    keys = ["_alive", "_medium", "_sure", rule_for(latents).column, "max_activation"]
    keyed = latents.assign(_alive=alive, _medium=medium, _sure=latents["name_score"].where(latents["name_good"]))
    expected = keyed.sort_values(keys, ascending=False, na_position="last")[keys].reset_index(drop=True)
    pd.testing.assert_frame_equal(keyed.loc[striking_order(latents), keys].reset_index(drop=True), expected)


def test_names_that_pictures_bear_out_come_first_and_can_be_asked_for() -> None:
    columns = {"name": ["a", "b", "c", "d"], "name_score": [0.99, 0.9, 0.95, 0.8], "top_label": list("wxyz")}
    said = {"name_match": ["clip", "clip", "clip", "text"], "name_carried": [2, 3, 12, 0]}
    latents = frame(**columns, **said, name_carried_by_chance=[0.0, 0.0, 5.0, 0.0])
    assert striking_order(latents).tolist() == [1, 3, 0, 2]
    assert striking(latents, 3) == [1, 3, 0]
    assert found(LatentTable(latents), names="borne") == [1, 3]
    assert found(LatentTable(latents), given={2: Note(2, "a")}, names="borne") == [1, 3, 2]
    assert found(LatentTable(latents), names="good") == [1, 3, 0, 2]
    assert found(LatentTable(latents), names="weak") == []


def test_two_rankings_count_the_same_whatever_their_units() -> None:
    """By the first alone 0 wins, by the second alone 1; together 2, which is good in both."""
    first = Ranking("", "", "cosine", np.array([0.9, 0.0, 0.8, 0.0]))
    second = Ranking("", "", "pre-activation", np.array([0.0, 900.0, 800.0, 0.0]))
    latents = table(density=[0.1] * 4)
    assert matching(latents, LatentsQuery(), [first]).tolist()[0] == 0
    assert matching(latents, LatentsQuery(), [second]).tolist()[0] == 1
    assert matching(latents, LatentsQuery(), [first, second]).tolist()[0] == 2


def test_pages_of_the_grid_show_every_latent_once(store: LatentStore) -> None:
    seen: list[int] = []
    for page in range(1, 5):
        seen += [found.card.ref.latent for found in build_latents(store, LatentsQuery(page=page)).found]
    assert sorted(seen) == list(range(store.n_latents))


def test_a_page_reads_its_pictures_rows_in_one_go(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    images = LatentStore.images
    monkeypatch.setattr(LatentStore, "images", lambda self, ids: calls.append(len(ids)) or images(self, ids))
    view = build_latents(store, LatentsQuery(sort="frequent"))
    assert calls == [sum(len(found.card.tiles) for found in view.found)]
    assert calls[0] > 4 * PER_PAGE
    for card in (found.card for found in view.found):
        gallery = store.gallery(card.ref.latent, 0, 9)
        assert [tile.image_id for tile in card.tiles] == gallery.image_ids.tolist()
        assert [tile.figure for tile in card.tiles] == gallery.activations.tolist()


def test_words_that_nothing_has_are_told_what_is_written_almost_so() -> None:
    latents = table(name=["citrus", "big_cat", None], top_label=["fruit", "cats", "dogs"])
    assert latents.like("citrsu") == ["citrus"]
    assert latents.like("Big cats") == ["big cat"]
    assert latents.like("zebra") == []


def test_nothing_found_leads_to_words_like_those_and_to_their_meaning(store: LatentStore) -> None:
    label = latent_table(store).labels[0]
    misspelt = label[:-1] + "q"
    view = build_latents(store, LatentsQuery(q=misspelt, life="alive"))
    assert view.found == () and view.by_meaning is not None
    assert LatentsQuery.from_params(dict(parse_qsl(urlsplit(view.by_meaning).query))).text == misspelt
    words, href, n = next(one for one in view.like if one[0] == label.lower().replace("_", " "))
    there = build_latents(store, LatentsQuery.from_params(dict(parse_qsl(urlsplit(href).query))))
    assert len(there.found) == n > 0 and there.query.life == "alive"
    html = sections.nothing(view)
    assert "Did you mean" in html and words in html and f"Search “{misspelt}” by meaning" in html
    number = build_latents(store, LatentsQuery(q="999999"))
    assert number.like == () and number.by_meaning is None


def test_nothing_found_says_what_would_be(store: LatentStore) -> None:
    view = build_latents(store, LatentsQuery.from_params({"q": "no such word", "life": "dead"}))
    assert view.found == ()
    ((chip, n),) = view.ways_out
    assert (chip.name, chip.href) == ("q", "latents?life=dead")
    assert n == int((store.latents["n_active"] == 0).sum())


def test_what_is_called_so_comes_before_what_only_says_so() -> None:
    """Among those by the usual order; where another one is asked for, that one decides."""
    latents = table(
        name=["playing cards game", "diamonds", "Playing_cards", "playing cards"],
        top_label=["games", "playing cards", "playing cards", "playing cards"],
        name_score=[0.99, 0.98, 0.90, 0.95],
    )
    assert found(latents, q="playing cards") == [3, 2, 0, 1]
    assert found(latents, q="playing cards", sort="score") == [0, 1, 3, 2]
    given = {1: Note(1, "playing  cards"), 3: Note(3, "spades")}
    assert found(latents, q="playing cards", given=given) == [1, 2, 0, 3]
