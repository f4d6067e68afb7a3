"""Lists of latents: the address is the list."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import links
from explorer.sections.cards import latent_cards
from explorer.sections.collection import remarks
from explorer.views.collection import MAX_LATENTS, MAX_TITLE, PER_PAGE, ListQuery, build_list
from explorer.views.striking import MIN_PICTURES
from explorer.wording import figure, percent
from sae_core import LatentStore


def read(address: str) -> ListQuery:
    params = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
    return ListQuery.from_params(params)


@given(st.lists(st.integers(0, 10**6), max_size=40, unique=True), st.text(max_size=MAX_TITLE))
def test_the_address_holds_all_of_it(latents: list[int], title: str) -> None:
    query = ListQuery.from_params({"latents": links.numbers(latents), "title": title})
    assert query.latents == tuple(latents)
    assert read(query.url()) == query


@pytest.mark.parametrize(
    ("said", "latents"),
    [
        ("12,340,77", (12, 340, 77)),
        ("12, 340\n77", (12, 340, 77)),
        ("12,12,12", (12,)),
        ("x,-1,1.5,²,7,", (7,)),
        ("", ()),
        ("99999999999999999999,3", (3,)),
    ],
)
def test_what_is_no_number_is_left_out(said: str, latents: tuple[int, ...]) -> None:
    assert ListQuery.from_params({"latents": said}).latents == latents


def test_what_is_no_number_is_named(store: LatentStore) -> None:
    html = remarks(build_list(store, ListQuery.from_params({"latents": "3,foo, <b>,7"})))
    assert "No numbers of latents, and left out: “foo”, “&lt;b&gt;”." in html
    assert remarks(build_list(store, ListQuery.from_params({"latents": "3, 7,"}))) == ""


def test_the_limit() -> None:
    query = ListQuery.from_params({"latents": links.numbers(range(MAX_LATENTS + 3)), "title": "x" * 500})
    assert (len(query.latents), query.n_beyond, len(query.title)) == (MAX_LATENTS, 3, MAX_TITLE)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True), st.data())
def test_moving_and_removing(latents: list[int], data: st.DataObject) -> None:
    latent, by = data.draw(st.sampled_from(latents)), data.draw(st.sampled_from([-1, 1]))
    query = ListQuery(tuple(latents), "t")
    moved = query.moved(latent, by)
    assert sorted(moved.latents) == sorted(latents)
    at = latents.index(latent)
    assert moved.latents.index(latent) == min(max(at + by, 0), len(latents) - 1)
    assert [n for n in moved.latents if n != latent] == [n for n in latents if n != latent]
    assert query.without(latent) == ListQuery(tuple(n for n in latents if n != latent), "t")


def test_rows_lead_on(store: LatentStore) -> None:
    view = build_list(store, ListQuery((5, 2, 9), "mine"))
    assert [row.card.ref.latent for row in view.rows] == [5, 2, 9]
    first, middle, last = view.rows
    assert (first.up, last.down) == (None, None)
    assert read(middle.up or "").latents == (2, 5, 9)
    assert read(middle.down or "").latents == (5, 9, 2)
    assert read(middle.remove) == ListQuery((5, 9), "mine", sae=view.sae)


def test_of_few_pictures_the_label_is_counted(store: LatentStore) -> None:
    sizes = store.latents["n_active"]
    few, many = int(sizes[(sizes > 0) & (sizes < MIN_PICTURES)].index[0]), int(sizes.idxmax())
    rows = build_list(store, ListQuery((few, many))).rows
    said = [dict(row.facts)["label purity"] for row in rows]
    assert said[0].startswith(f"{rows[0].card.purity_text} {rows[0].card.top_label} (store: ")
    assert said[1].count("%") == 2
    all_of = replace(rows[0].card, n_active=8, purity=1.0)
    assert all_of.purity_text == "all its 8"
    assert replace(all_of, purity=7 / 8).purity_text == "7 of its 8"
    assert replace(all_of, n_active=1).purity_text == "its one picture"
    assert ">7 of its 8 labelled " in latent_cards([replace(all_of, purity=7 / 8)])


def test_each_figure_stands_beside_its_baseline(store: LatentStore) -> None:
    latent = int(store.latents["n_active"].idxmax())
    (row,) = build_list(store, ListQuery((latent,))).rows
    facts, report = dict(row.facts), store.manifest.report
    has = store.labels.codes == store.labels.titles.index(store.latents.loc[latent, "top_label"])
    assert facts["label purity"].endswith(f"(store: {percent(float(has.mean()))})")
    assert facts["monosemanticity"].endswith(f" / {figure(report.monosemanticity_baseline)}")
    assert facts["split half"].endswith(f" / {figure(report.split_half_baseline)}")


def test_an_address_says_whose_latents_it_lists(store: LatentStore) -> None:
    mark = store.manifest.sae.fingerprint[:8]
    for said in ("", mark, mark.upper(), store.manifest.sae.fingerprint, "<b>", mark[:7]):
        view = build_list(store, ListQuery.from_params({"latents": "5,2", "sae": said}))
        assert f"&sae={mark}" in view.query.url()
        assert remarks(view) == ""


def test_a_list_of_another_sae_opens_with_a_warning(store: LatentStore) -> None:
    view = build_list(store, ListQuery.from_params({"latents": "5,2", "sae": "0123abcd"}))
    said = f"This list was made with another SAE (0123abcd; this store’s is {store.manifest.sae.fingerprint[:8]}): "
    assert f"{said}the same numbers are other latents here." in remarks(view)
    assert [row.card.ref.latent for row in view.rows] == [5, 2]
    assert read(view.rows[0].remove).sae == "0123abcd", "whose numbers they are does not change with an edit"


def test_latents_of_another_store_are_named_not_shown(store: LatentStore) -> None:
    view = build_list(store, ListQuery((5, store.n_latents, 2)))
    assert view.unknown == (store.n_latents,)
    assert view.query.latents == (5, 2)


def test_a_long_list_has_pages(store: LatentStore) -> None:
    latents = tuple(reversed(range(store.n_latents)))
    view = build_list(store, ListQuery(latents, page=2))
    assert [row.card.ref.latent for row in view.rows] == list(latents[PER_PAGE : 2 * PER_PAGE])
    assert view.rows[0].up is not None, "the first of a page can still go up"
    assert read(view.rows[0].remove).page == 2
