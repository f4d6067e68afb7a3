"""Pictures by what is active in them, against the codes of all pictures."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from explorer import links
from explorer.recent import RecentArrays
from explorer.sections.pictures import nothing
from explorer.views.pictures import PER_PAGE, build_pictures
from explorer.views.pictures_chance import by_chance
from explorer.views.pictures_query import MAX_LATENTS, PicturesQuery
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE


def strengths_by_hand(store: LatentStore, query: PicturesQuery) -> dict[int, float]:
    """Every picture that matches, from its own code."""
    found = {}
    for image_id in range(store.n_images):
        code = store.code(image_id)
        active = dict(zip(code.latents.tolist(), code.activations.tolist(), strict=True))
        if not all(latent in active for latent in query.all_of) or any(latent in active for latent in query.none_of):
            continue
        if query.any_of and not any(latent in active for latent in query.any_of):
            continue
        if query.all_of:
            found[image_id] = min(active[latent] for latent in query.all_of)
        else:
            found[image_id] = max(active.get(latent, 0.0) for latent in query.any_of)
    return found


def chance_of(store: LatentStore, query: PicturesQuery) -> float:
    found = build_pictures(store, query).chance
    assert found is not None and found == by_chance(store, query)
    return found.n


def busy(store: LatentStore, n: int) -> list[int]:
    """The most frequent latents."""
    return [int(latent) for latent in store.latents["n_active"].nlargest(n).index]


def queries(store: LatentStore) -> list[PicturesQuery]:
    a, b, c, d = busy(store, 4)
    return [
        PicturesQuery(all_of=(a,)),
        PicturesQuery(all_of=(a, b)),
        PicturesQuery(any_of=(a, b, c)),
        PicturesQuery(all_of=(a,), none_of=(c,)),
        PicturesQuery(all_of=(a,), any_of=(b, c), none_of=(d,)),
        PicturesQuery(any_of=(c, d), none_of=(a, b)),
        PicturesQuery(any_of=(c, d), none_of=(a, d)),
    ]


@pytest.mark.parametrize("which", range(7))
def test_every_page_of_a_query_agrees_with_the_codes(store: LatentStore, which: int) -> None:
    query = queries(store)[which]
    by_hand = strengths_by_hand(store, query)
    view = build_pictures(store, query)
    assert view.paging.n_items == len(by_hand)
    pages = [
        build_pictures(store, PicturesQuery(query.all_of, query.any_of, query.none_of, page=page))
        for page in range(1, view.paging.n_pages + 1)
    ]
    tiles = [tile for page in pages for tile in page.tiles]
    assert [tile.image_id for tile in tiles] == sorted(by_hand, key=lambda image_id: (-by_hand[image_id], image_id))
    assert [tile.figure for tile in tiles] == pytest.approx([by_hand[tile.image_id] for tile in tiles])


def test_some_query_has_pages(store: LatentStore) -> None:
    """So that the test above means something."""
    assert any(build_pictures(store, query).paging.n_items > PER_PAGE for query in queries(store))


def test_numbers_are_read_however_they_are_written() -> None:
    query = PicturesQuery.from_params({"all_of": " 12, #340;7 12", "any_of": "", "none_of": "#77"})
    assert (query.all_of, query.any_of, query.none_of, query.unread) == ((12, 340, 7), (), (77,), ())
    assert query.url() == "pictures?all_of=12,340,7&none_of=77"
    assert query.url(3).endswith("&page=3")
    assert links.pictures_url(all_of=[12]) == "pictures?all_of=12"
    bad = PicturesQuery.from_params({"all_of": "12 cat", "none_of": "-3"})
    assert bad.unread == (("all_of", "cat"), ("none_of", "-3"))
    assert bad.written("all_of") == "12, cat"


@pytest.mark.parametrize(
    ("said", "latents", "unread"),
    [
        ("62 and 793", (62, 793), ()),
        ("#62 AND #793, or 5", (62, 793, 5), ()),
        ("62 & 793 + 5", (62, 793, 5), ()),
        ("62&793+#5", (62, 793, 5), ()),
        ("62 and", (62,), ()),
        ("62 and cat", (62,), ("cat",)),
        ("salt and pepper", (), ("salt", "and", "pepper")),
        ("62 and salt and pepper", (62,), ("salt", "and", "pepper")),
        ("B&W", (), ("B&W",)),
        ("and", (), ("and",)),
    ],
)
def test_and_beside_a_number_is_no_name(said: str, latents: tuple[int, ...], unread: tuple[str, ...]) -> None:
    query = PicturesQuery.from_params({"any_of": said})
    assert query.any_of == latents
    assert query.unread == tuple(("any_of", word) for word in unread)


def test_what_is_excluded_is_not_what_words_mean(shown: LatentStore) -> None:
    label = str(shown.latents["top_label"].dropna().iloc[0])

    def offered(**params: str) -> list[int]:
        meant = build_pictures(shown, PicturesQuery.from_params(params)).meant
        return [ref.latent for one in meant for ref, _ in one.latents]

    first, second, *_ = offered(all_of=label)
    assert first not in offered(all_of=label, none_of=str(first)) != []
    assert first not in offered(any_of=label, none_of=str(first))
    assert not {first, second} & {*offered(none_of=label, all_of=str(first), any_of=str(second))}
    assert first in offered(all_of=f"{first} {label}"), "asked for twice is asked for"


def test_words_in_place_of_a_number_lead_to_latents_that_are_called_so(shown: LatentStore) -> None:
    label = str(shown.latents["top_label"].dropna().iloc[0])
    asked = PicturesQuery.from_params({"all_of": f"5 {label}", "any_of": "nothing-like-it"})
    view = build_pictures(shown, asked)
    (meant,) = view.meant
    assert meant.words == label and 0 < len(meant.latents) <= 12
    for ref, href in meant.latents:
        assert label in (shown.latents.loc[ref.latent, "top_label"], shown.latents.loc[ref.latent, "name"])
        there = PicturesQuery.from_params(dict(parse_qsl(urlsplit(href).query)))
        assert there.all_of == tuple(dict.fromkeys((5, ref.latent)))
        assert there.unread == (("any_of", "nothing-like-it"),), "what else was written stays"
    html = html_of(run_page("pictures", all_of=f"5 {label}"))
    assert f"Latents with “{label}” in their name or label" in html
    assert 'role="alert"' not in html, "words are a question, no mistake"
    (alone,) = build_pictures(shown, PicturesQuery.from_params({"all_of": f"5 {label}"})).meant
    for (ref, href), tiles in zip(alone.latents, alone.tiles, strict=True):
        assert [tile.image_id for tile in tiles] == shown.gallery(ref.latent, 0, 4).image_ids.tolist()
        assert html.count(f'href="{href.replace("&", "&amp;")}"') == 2, "its pictures and its name"
    called = [label in (ref.name or "") for ref, _ in meant.latents]
    assert called == sorted(called, reverse=True), "first those that are called so"


def by_pairs(store: LatentStore, active: list[int], others: list[int]) -> float:
    """The product of densities, with Hájek's correction for each pair."""
    p = store.latents["density"]
    found, off = 1.0, []
    for latent in (*active, *others):
        found *= p[latent] if latent in active else 1 - p[latent]
        off.append(1 - p[latent] if latent in active else -p[latent])
    for i in range(len(off)):
        for j in range(i):
            found *= 1 + store.count_bond * off[i] * off[j]
    return found * store.n_images


def test_the_baseline_is_the_product_rule_for_so_many_latents_a_picture(store: LatentStore) -> None:
    a, b, c, d = busy(store, 4)
    by_hand = by_pairs(store, [a], [d]) - by_pairs(store, [a], [d, b, c])
    assert store.count_bond < 0, "k latents are active in a picture: one's place is another's loss"
    assert chance_of(store, PicturesQuery(all_of=(a,), any_of=(b, c), none_of=(d,))) == pytest.approx(by_hand)
    assert build_pictures(store, PicturesQuery(all_of=(a,))).chance is None, "one latent is its own gallery"
    excluded = PicturesQuery(any_of=(b, c, d), none_of=(c,))
    assert chance_of(store, excluded) == pytest.approx(by_pairs(store, [], [c]) - by_pairs(store, [], [c, b, d]))
    certain = PicturesQuery(all_of=(a, b), any_of=(a, c))
    assert chance_of(store, certain) == pytest.approx(by_pairs(store, [a, b], [])), "one of any is active anyway"
    p = store.latents["density"]
    assert chance_of(store, PicturesQuery(all_of=(a, b))) < p[a] * p[b] * store.n_images


def test_the_baseline_of_two_is_that_of_their_lift(store: LatentStore) -> None:
    latent = next(latent for latent in busy(store, 20) if len(store.coactive(latent).latents))
    with_it = store.coactive(latent)
    other, n_both, lift = int(with_it.latents[0]), int(with_it.n_both[0]), float(with_it.lifts[0])
    assert n_both / chance_of(store, PicturesQuery(all_of=(latent, other))) == pytest.approx(lift, rel=1e-5)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"all_of": "96"}, "There is no latent 96; this store has latents 0 … 95."),
        ({"all_of": "5", "none_of": "96 1000"}, "There is no latent 96, 1000; this store has latents 0 … 95."),
        ({"any_of": "cat"}, "“cat” is no number of a latent; this store has latents 0 … 95."),
        ({"none_of": "5"}, "Exclusions alone name no picture: say which latents are active, a label or words, too."),
        ({"all_of": "5 6", "none_of": "6"}, "Latent 6 is asked for and excluded: no picture can match."),
        (
            {"any_of": "5 6", "none_of": "7 6 5"},
            "All latents of which one is asked for are excluded: no picture can match.",
        ),
        ({"all_of": ",".join(map(str, range(MAX_LATENTS + 1)))}, "One list takes 50 latents at most."),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(shown: LatentStore, params: dict[str, str], said: str) -> None:
    view = build_pictures(shown, PicturesQuery.from_params(params))
    assert view.problem == said
    assert view.tiles == ()
    html = html_of(run_page("pictures", **params))
    assert said in html
    assert html.count('role="alert"') == 1


def test_nothing_matches_and_which_condition_excludes_everything(shown: LatentStore) -> None:
    alive, *_ = busy(shown, 1)
    dead = int(shown.latents.index[shown.latents["n_active"] == 0][0])
    view = build_pictures(shown, PicturesQuery(all_of=(alive, dead)))
    (way,) = view.ways_out
    assert (way.href, way.n) == (f"pictures?all_of={alive}", shown.gallery_size(alive))
    html = html_of(run_page("pictures", all_of=f"{alive} {dead}"))
    assert "No picture matches" in html
    assert f"#{dead} is dead" in html
    assert f'href="pictures?all_of={alive}"' in html


def test_one_dead_latent_is_reason_enough(shown: LatentStore) -> None:
    dead = int(shown.latents.index[shown.latents["n_active"] == 0][0])
    html = html_of(run_page("pictures", all_of=str(dead)))
    assert f"#{dead} is dead" in html and "No single condition" not in html


def test_each_condition_that_excludes_everything_is_named(store: LatentStore) -> None:
    a, b = next(
        (a, b)
        for a in busy(store, 30)
        for b in busy(store, 30)
        if a != b and not strengths_by_hand(store, PicturesQuery(all_of=(a, b)))
    )
    view = build_pictures(store, PicturesQuery(all_of=(a,), any_of=(b,)))
    assert {way.href: way.n for way in view.ways_out} == {
        f"pictures?any_of={b}": store.gallery_size(b),
        f"pictures?all_of={a}": store.gallery_size(a),
    }


def test_of_very_many_conditions_not_each_is_tried(store: LatentStore) -> None:
    """Of fourteen, the two that were not tried might be the ones that exclude everything."""
    view = build_pictures(store, PicturesQuery(all_of=tuple(busy(store, 14))))
    assert (view.n, view.ways_out, view.untried) == (0, (), 2)
    assert "Leaving out one condition was not enough; 2 of them were not tried." in nothing(view)
    view = build_pictures(store, PicturesQuery(all_of=tuple(busy(store, 12))))
    assert (view.n, view.ways_out, view.untried) == (0, (), 0)
    assert "No single condition excludes everything" in nothing(view)


def test_paging_does_not_compute_again(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    search = LatentStore.images_where
    monkeypatch.setattr(LatentStore, "images_where", lambda self, *asked: calls.append(1) or search(self, *asked))
    monkeypatch.setattr("explorer.views.pictures_found._recent", RecentArrays(10**6))
    asked = tuple(busy(store, 3))
    for page in (1, 2, 1):
        build_pictures(store, PicturesQuery(any_of=asked, page=page))
    assert len(calls) == 1


def test_recent_arrays_stay_within_their_bytes() -> None:
    recent = RecentArrays(4000)
    calls: list[str] = []

    def make(name: str, n: int) -> tuple[np.ndarray, ...]:
        return recent.get(name, lambda: calls.append(name) or (np.zeros(n, np.uint8), np.zeros(n, np.uint8)))

    for name in ("a", "b", "a", "c", "a", "b"):  # c drives out b, which was used before a
        make(name, 200)
    assert calls == ["a", "b", "c", "b"]
    assert recent.n_bytes <= 4000
    assert len(make("large", 5000)[0]) == 5000
    assert recent.n_bytes <= 4000


def test_a_list_that_is_too_long_is_told_and_not_drawn_as_often(store: LatentStore) -> None:
    """Each latent's way out names all others: with 4,000 in the address the page would have 10 MB."""
    view = build_pictures(store, PicturesQuery(any_of=tuple(range(90))))
    assert view.problem == f"One list takes {MAX_LATENTS} latents at most."
    assert len(view.conditions) == MAX_LATENTS


def test_results_that_found_nothing_go_as_others_do() -> None:
    """There is no end of questions without an answer, and each has a key."""
    recent, calls = RecentArrays(100_000), []
    for question in (*range(1000), 999, 0):
        recent.get(question, lambda question=question: calls.append(question) or (np.zeros(0),))
    assert calls == [*range(1000), 0], "the latest one is kept, and the first one gone"


def test_the_page_shows_pictures_conditions_and_the_baseline(shown: LatentStore) -> None:
    a, b, c, _ = busy(shown, 4)
    query = PicturesQuery(any_of=(a, b), none_of=(c,))
    by_hand = strengths_by_hand(shown, query)
    html = html_of(run_page("pictures", any_of=f"#{a} #{b}", none_of=str(c)))
    assert f"<b>{len(by_hand):,}</b> of 180" in html
    assert "if the latents were independent" in html
    best = max(by_hand, key=lambda image_id: (by_hand[image_id], -image_id))
    assert html.index(f'href="inspect?image={best}"') == html.index('href="inspect?image=')
    assert html.count('class="sp-tile"') == min(len(by_hand), PER_PAGE)
    assert f'href="pictures?any_of={b}&amp;none_of={c}"' in html, "the chip of the first latent removes it"
    assert f'name="any_of" value="{a}, {b}"' in html


def test_a_repeated_parameter_is_all_of_its_values(shown: LatentStore) -> None:
    a, b, c, d = busy(shown, 4)
    html = html_of(run_page("pictures", any_of=[f"{a}", f"#{b}"], none_of=[f"{c}", f"{d}"]))
    assert f'name="any_of" value="{a}, {b}"' in html and f'name="none_of" value="{c}, {d}"' in html
    assert f"<b>{len(strengths_by_hand(shown, PicturesQuery(any_of=(a, b), none_of=(c, d)))):,}</b> of 180" in html
    for page in ("list", "latents"):
        once, twice = (html_of(run_page(page, latents=said)) for said in (f"{a},{b}", [f"{a}", f"{b}"]))
        assert twice == once, page


def test_before_anything_is_asked_there_are_examples(shown: LatentStore) -> None:
    html = html_of(run_page("pictures"))
    examples = build_pictures(shown, PicturesQuery()).examples
    assert examples
    for example in examples:
        assert example.n == len(strengths_by_hand(shown, PicturesQuery(all_of=tuple(r.latent for r in example.refs))))
        assert f'href="{example.href}"' in html


def test_what_is_asked_stays_text(shown: LatentStore) -> None:
    html = html_of(run_page("pictures", all_of=HOSTILE))
    assert "&quot;&gt;&lt;img" in html
    assert "<script" not in html
    assert "<img src=x" not in html
