"""The Spans page: curves, few latents, and every state of a choice."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer import span_charts as charts
from explorer import spans
from explorer.recent import RecentArrays
from explorer.sections import neighbourhood as neighbourhood_sections
from explorer.sections import spans as sections
from explorer.views import few_latents, neighbourhood, random_energy
from explorer.views.energy import N_NEIGHBOURS, build_energy
from explorer.views.few_latents import KEEP, Range, SetRow, measure_set, set_row, spread_of, written
from explorer.views.neighbourhood import build_neighbourhood
from explorer.views.random_energy import N_ALONE, N_SETS, random_alone, random_neighbourhoods, random_sets
from explorer.views.resolved import Resolved, Uploaded, resolve
from explorer.views.selection import read_selection
from explorer.views.sides import ranked_latents
from explorer.views.spans_query import MAX_N, MIN_N, USUAL_N, SpansQuery
from explorer.wording import percent
from sae_core import LatentStore
from sae_core.equal_density import random_of_equal_density
from sae_core.linear_heads import Head
from sae_core.neighbourhoods import union_of
from sae_core.spans import cumulative_energy, cumulative_energy_each
from sae_core.store.records import Neighbours
from tests.explorer.conftest import html_of, run_page
from tests.support.pictures import encoded, picture
from tests.support.stores import make_store


def chosen(store: LatentStore, said: str, upload: Uploaded | None = None) -> Resolved:
    selection = read_selection(store, said)
    assert selection
    return resolve(store, selection, lambda text: store.embedding(len(text)), upload)


CHOICES = ("image:7", "image:3,7,11", "label:red things", "text:some words")


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("said", CHOICES)
def test_energies_rise_within_their_bands(store: LatentStore, said: str, centred: bool) -> None:
    resolved = chosen(store, said)
    view = build_energy(store, resolved, centred)
    curves = {curve.line: curve for curve in view.curves}
    of_sets = {"shared", "pictures", "neighbours"} if len(resolved.embeddings) > 1 else set()
    assert set(curves) == {"own", "own random", "best", "random"} | of_sets
    for curve in view.curves:
        for shares in (curve.low, curve.middle, curve.high):
            assert (np.diff(shares) >= -1e-9).all()
            assert 0 <= shares[0] <= shares[-1] <= 1 + 1e-9
        assert all(low <= middle <= high for low, middle, high in zip(curve.low, curve.middle, curve.high, strict=True))
    assert "strongest directions hold" in view.sentence
    assert len(curves["own"].middle) == store.k


def test_a_pictures_own_energy_is_that_of_its_code(store: LatentStore) -> None:
    view = build_energy(store, chosen(store, "image:7"), centred=True)
    code, x = store.code(7), store.embedding(7) - store.mean_embedding
    wanted = cumulative_energy_each(x[None], store.directions[code.latents][None])[0]
    own = next(curve for curve in view.curves if curve.line == "own")
    np.testing.assert_allclose(own.middle[: len(wanted)], wanted, atol=1e-6)


def test_chosen_latents_are_the_shared_ones(store: LatentStore) -> None:
    latents = store.latents.n_active.nlargest(3).index.tolist()
    view = build_energy(store, chosen(store, f"latents:{','.join(map(str, latents))}"), centred=True)
    assert len(next(curve for curve in view.curves if curve.line == "shared").middle) == 3


@pytest.mark.parametrize("centred", [True, False])
def test_no_shared_span_beats_the_best_one(store: LatentStore, centred: bool) -> None:
    resolved = chosen(store, "label:red things")
    view = build_energy(store, resolved, centred)
    best = next(curve for curve in view.curves if curve.line == "best")
    x = resolved.embeddings.astype(np.float64) - (store.mean_embedding if centred else 0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    principal = np.linalg.eigh(x.T @ x)[1][:, ::-1]
    mine = np.cumsum((x @ principal) ** 2, axis=1)[:, : store.k]
    np.testing.assert_allclose(best.middle, np.median(mine, axis=0), atol=1e-6)
    for latents in (ranked_latents(resolved)[: store.k], np.arange(store.k)):
        assert (cumulative_energy(x, store.directions[latents]).mean(0) <= mine.mean(0) + 1e-9).all()


def test_the_best_span_of_a_picture_is_of_its_neighbours(store: LatentStore) -> None:
    best = next(curve for curve in build_energy(store, chosen(store, "image:7"), False).curves if curve.line == "best")
    ids = store.nearest_images(store.embedding(7), N_NEIGHBOURS + 1).ids
    assert ids[0] == 7, "itself, which would be its own best span"
    near = store.embeddings(ids[1:]).astype(np.float64)
    first = np.linalg.eigh(near.T @ near)[1][:, -1]
    np.testing.assert_allclose(best.middle[0], (store.embedding(7) @ first) ** 2, atol=1e-5)


def test_the_sentence_reads_all_curves_at_the_same_number(store: LatentStore) -> None:
    latents = store.latents.n_active.nlargest(3).index.tolist()
    view = build_energy(store, chosen(store, f"latents:{','.join(map(str, latents))}"), centred=True)
    ends = {curve.line: curve.middle for curve in view.curves}
    assert view.most == len(ends["shared"]) == len(ends["random"]) == 3
    assert len(ends["own"]) == len(ends["best"]) == store.k
    for j, wanted in ((None, 3), (2, 2), (1, 1), (400, 3), (-5, 1)):
        sentence = view.at(j).sentence
        assert "strongest direction holds" in sentence if wanted == 1 else f"{wanted} strongest directions" in sentence
        for shares in ends.values():
            assert percent(shares[wanted - 1]) in sentence


def test_random_sets_are_asked_the_same_question(store: LatentStore) -> None:
    """Sets as large as the choice, each with the strongest latents of its own; by hand, from codes and embeddings."""
    resolved = chosen(store, "image:3,7,11")
    found = random_sets(store, 3, 4, store.mean_embedding, seed=5)
    assert found.shape == (N_SETS, 4)
    rng = np.random.default_rng([5, 1])
    for row in found[:6]:
        assert row == pytest.approx(
            held_by_own_strongest(store, rng.choice(store.n_images, 3, replace=False)), abs=1e-5
        )
    curve = next(one for one in build_energy(store, resolved, True, 5).curves if one.line == "pictures")
    np.testing.assert_allclose(curve.middle[:4], np.median(found, axis=0), atol=1e-9)


def held_by_own_strongest(store: LatentStore, ids: np.ndarray) -> list[float]:
    """By hand, from codes and embeddings: what 1 to 4 of a set's strongest latents hold of it, at the median."""
    sums, found = np.zeros(store.n_latents), []
    for image in ids.tolist():
        code = store.code(image)
        sums[code.latents] += code.activations
    x = store.embeddings(ids) - store.mean_embedding
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    for j in range(4):
        latents = [latent for latent in np.argsort(-sums, kind="stable")[: j + 1] if sums[latent] > 0]
        basis = np.linalg.qr(store.directions[latents].T.astype(np.float64))[0]
        found.append(float(np.median(((x @ basis) ** 2).sum(1))))
    return found


def test_random_neighbourhoods_are_asked_it_too(store: LatentStore) -> None:
    """Pictures that are near one another share latents whatever they show: random ones with what is nearest to them."""
    x = store.embeddings(range(store.n_images))
    found = random_neighbourhoods(store, 5, 4, store.mean_embedding, seed=5)
    centres = np.sort(np.random.default_rng([5, 2]).choice(store.n_images, N_SETS, replace=False))
    assert found.shape == (N_SETS, 4)
    checked = 0
    for row, centre in zip(found, centres.tolist(), strict=True):
        cosines = x @ x[centre]
        near = np.argsort(-cosines, kind="stable")
        if cosines[near[4]] - cosines[near[5]] > 1e-5:  # otherwise either may be the fifth
            assert row == pytest.approx(held_by_own_strongest(store, np.sort(near[:5])), abs=1e-5)
            checked += 1
    assert checked > 1  # the pictures are alike
    curve = build_energy(store, chosen(store, "image:3,7,11,15,19"), True, 5).curves[-1]
    assert curve.line == "neighbours"
    np.testing.assert_allclose(curve.middle[:4], np.median(found, axis=0), atol=1e-9)
    assert len(random_neighbourhoods(store, 9_999, 4, store.mean_embedding, seed=5)) == N_SETS  # more than there are


def test_chosen_latents_stand_beside_others_in_their_own_pictures(store: LatentStore) -> None:
    """Each draw's pictures are those where the drawn latents are active, as the choice's are."""
    latents = np.array(store.latents.n_active.nlargest(2).index)
    view = build_energy(store, chosen(store, f"latents:{','.join(map(str, latents))}"), centred=True)
    curve, n = view.curves[-1], view.n_pictures
    assert curve.name == "random latents in their own pictures" and len(curve.middle) == 2
    drawn = random_of_equal_density(store.latents["density"].to_numpy(), latents, N_SETS, seed=0)
    held = []
    for row in drawn:
        ids = store.images_where(any_of=row.tolist()).image_ids[:n]
        x = store.embeddings(ids) - store.mean_embedding
        basis = np.linalg.qr(store.directions[row].T.astype(np.float64))[0]
        held.append(np.median(((x @ basis) ** 2).sum(1) / (x**2).sum(1)))
    assert curve.middle[-1] == pytest.approx(np.median(held), abs=1e-5)
    assert (curve.low[-1], curve.high[-1]) == tuple(pytest.approx(np.quantile(held, q), abs=1e-5) for q in (0.05, 0.95))


def test_one_picture_stands_beside_single_ones(store: LatentStore) -> None:
    view = build_energy(store, chosen(store, "image:7"), centred=True)
    curve, n = view.curves[1], min(N_ALONE, store.n_images)
    assert curve.line == "own random"
    held = random_alone(store, store.mean_embedding, 0)
    assert held.shape == (n, store.k)
    assert n == store.n_images, "all of them, in this small store"
    for image in (0, 7, 179):
        x = (store.embedding(image) - store.mean_embedding)[None]
        code = store.code(image)
        wanted = cumulative_energy_each(x, store.directions[code.latents][None])[0]
        np.testing.assert_allclose(held[image, : len(wanted)], wanted, atol=1e-6)
    np.testing.assert_allclose(curve.middle, np.median(held, axis=0))
    assert (
        f"random pictures’ own strongest {percent(curve.middle[view.j - 1])}. As many directions, one span: best"
        in view.sentence
    )
    assert "Random pictures: 256." in sections.energy_note(view, SpansQuery("image:7"))


def test_random_pictures_are_drawn_several_times(store: LatentStore) -> None:
    view = build_neighbourhood(store, chosen(store, "image:7"), 20)
    assert [spread.n_draws for spread in view.spreads] == [8, 8]
    row, spread = view.rows[-2], view.spreads[0]
    for values, ranges in ((row.mass, spread.mass), (row.energy, spread.energy), (row.labels, spread.labels)):
        assert values is not None and ranges is not None
        assert all(found and found[0] <= value <= found[1] for value, found in zip(values, ranges, strict=True))
    assert spread.n_union and spread.n_union[0] < spread.n_union[1]
    assert f"random pictures (8 draws) {spread.n_union[0]} to {spread.n_union[1]} are active" in view.sentence
    html = neighbourhood_sections.neighbourhood_table(view)
    assert html.count("sp-ranges") == 8 and html.count("the range of 8 draws") == 2
    assert f"<span>{spread.n_union[0]}–{spread.n_union[1]}</span>" in html


def test_random_neighbourhoods_are_drawn_too(store: LatentStore) -> None:
    """Counted anew: the union of latents of the pictures nearest to a random one."""
    n, asked = 20, []

    def measured(of: LatentStore, name: str, ids: np.ndarray) -> SetRow:
        asked.append((name, ids))
        return measure_set(of, name, ids)

    view = build_neighbourhood(store, chosen(store, "image:7"), n, measure=measured)
    x = store.embeddings(range(store.n_images))
    near = [ids for name, ids in asked if name == "random neighbourhoods"]
    every = [sorted(np.argsort(-(x @ centre), kind="stable")[:n].tolist()) for centre in x]
    assert len(near) == 8 and all(ids.tolist() in every for ids in near)
    unions = [len({int(latent) for image in ids for latent in store.code(image).latents}) for ids in near]
    assert view.rows[-1].n_union == unions[0] and view.spreads[1].n_union == (min(unions), max(unions))
    assert f"in random neighbourhoods {min(unions)} to {max(unions)}, and" in view.sentence


@pytest.mark.parametrize(
    ("few", "near", "said"),
    [
        (5, (6, 9), ": fewer here than in any of these"),
        (6, (6, 9), ": this one lies within that range"),
        (10, (6, 9), ": more here than in any of these"),
        (5, (6, 6), ""),
        (None, (6, 9), ""),
        (5, None, ""),
    ],
)
def test_a_neighbourhood_is_held_against_random_ones(few: int | None, near: Range, said: str) -> None:
    assert neighbourhood._beside(few, near) == said


def test_where_all_pictures_are_drawn_there_is_one_draw(store: LatentStore) -> None:
    view = build_neighbourhood(store, chosen(store, "image:7"), MAX_N)
    assert [spread.n_draws for spread in view.spreads] == [
        1,
        1,
    ] and "draws" not in neighbourhood_sections.neighbourhood_table(view)
    assert f"random pictures {view.rows[-2].n_union} are active" in view.sentence


def test_a_number_that_a_draw_does_not_reach_has_no_range() -> None:
    row = SetRow("random pictures", 2, 5, (1, 2, 3), (1, None, 3), None, (1.0,))
    spread = spread_of([row, replace(row, n_union=7, energy=(2, 2, 3))])
    assert spread.n_union == (5, 7) and spread.labels is None
    assert spread.energy == ((1, 2), None, (3, 3))
    assert [written(found) for found in spread.energy] == ["1 to 2", "–", "3"]


def test_other_seeds_draw_others(store: LatentStore) -> None:
    resolved = chosen(store, "image:7")
    lines = [{curve.line: curve for curve in build_energy(store, resolved, True, seed).curves} for seed in (0, 0, 1)]
    assert lines[0] == lines[1]
    assert lines[0]["random"] != lines[2]["random"]
    assert lines[0]["own"] == lines[2]["own"]
    rows = [build_neighbourhood(store, resolved, 20, seed).rows for seed in (0, 0, 1)]
    assert rows[0] == rows[1]
    assert rows[0][0] == rows[2][0]
    assert rows[0][-2] != rows[2][-2] and rows[0][-1] != rows[2][-1]


def test_pictures_without_an_active_latent_have_no_span(store: LatentStore) -> None:
    resolved = chosen(store, "image:7,9")
    view = build_energy(store, replace(resolved, activations=-np.abs(resolved.activations)), True)
    assert view.curves == ()
    assert "they have no span" in view.sentence
    row = set_row(store, "nothing", 2, union_of(resolved.indices, -np.abs(resolved.activations)), None)
    assert (row.n_union, row.mass, row.energy) == (0, (0, 0, 0), (0, 0, 0))


def test_the_neighbourhood_is_compared_with_label_and_chance(store: LatentStore) -> None:
    view = build_neighbourhood(store, chosen(store, "image:7"), 20)
    nearest = store.nearest_images(store.embedding(7), 20).ids
    indices, activations = store.codes(nearest)
    assert [row.n_pictures for row in view.rows] == [20, 20, 20, 20]
    assert view.rows[0].n_union == len(np.unique(indices[activations > 0]))
    assert view.label == store.image(7).title
    assert [tile.image_id for tile in view.tiles] == nearest.tolist()[: len(view.tiles)]
    for row in view.rows:
        for few in (row.mass, row.energy, row.labels):
            assert few is not None
            known = [number for number in few if number is not None]
            assert known == sorted(known)
            assert len(few) == len(KEEP)
            assert max(known) <= row.n_union
        assert row.kept[-1] == pytest.approx(1)
    mass = np.zeros(store.n_latents)
    np.add.at(mass, indices[activations > 0], activations[activations > 0])
    assert view.cards[0].ref.latent == mass.argmax()
    assert view.cards[0].figure == pytest.approx(mass.max() / mass.sum())


def test_a_small_store_is_its_own_neighbourhood(store: LatentStore) -> None:
    view = build_neighbourhood(store, chosen(store, "image:7"), MAX_N)
    assert [row.n_pictures for row in view.rows] == [180, 60, 180, 180]
    assert view.rows[0].n_union == view.rows[2].n_union


def test_an_upload_is_like_a_picture(store: LatentStore) -> None:
    mine = chosen(store, "upload", Uploaded("mine.jpg", store.embedding(7)))
    theirs = chosen(store, "image:7")
    assert build_energy(store, mine, True).curves == build_energy(store, theirs, True).curves
    assert build_neighbourhood(store, mine, 20).rows[0] == build_neighbourhood(store, theirs, 20).rows[0]


def test_files_hold_what_is_drawn(store: LatentStore) -> None:
    energy = build_energy(store, chosen(store, "label:red things"), True)
    assert charts.energy_csv(energy).count("\n") == 1 + 7 * store.k
    names = [trace.name for trace in charts.energy_chart(energy).data if trace.name]
    assert names == [curve.name for curve in energy.curves]
    view = build_neighbourhood(store, chosen(store, "label:red things"), 20)
    assert charts.mass_csv(view).count("\n") == 1 + sum(row.n_union for row in view.rows)
    assert [trace.name for trace in charts.mass_chart(view).data] == [row.name for row in view.rows]


def test_the_address_is_read_and_written() -> None:
    query = SpansQuery.from_params({"of": " image:3 ", "n": "100", "centred": "0", "heads": "1"})
    assert (query.of, query.n, query.centred) == ("image:3", 100, False)
    assert query.url() == "spans?of=image:3&n=100&centred=0&heads=1"
    assert SpansQuery.from_params({"of": "image:3", "n": "many", "j": "x"}).left_out == ("n=many", "j=x")
    assert query.url(n=USUAL_N, centred=True) == "spans?of=image:3&heads=1"
    drawn = SpansQuery.from_params({"of": "7", "j": "4", "seed": "2"})
    assert (drawn.j, drawn.seed) == (4, 2)
    assert drawn.url() == "spans?of=7&j=4&seed=2"
    assert SpansQuery.from_params({"j": "0", "seed": "x"}) == SpansQuery()
    assert SpansQuery.from_params({"n": "100000"}).n == MAX_N
    assert SpansQuery.from_params({"n": "1"}).n == MIN_N
    assert SpansQuery.from_params({"n": "many"}).n == USUAL_N


@pytest.mark.parametrize("said", [*CHOICES, "latents:LIVE", "Red_Things", "7"])
def test_every_choice_has_its_page(shown: LatentStore, said: str) -> None:
    live = int(shown.latents.n_active.idxmax())
    html = html_of(run_page("spans", of=said.replace("LIVE", str(live)), n="20"))
    for question in ("How few concepts explain", "Does a head of its own"):
        assert question in html
    one = said in ("image:7", "7")
    assert f"How much of {'this picture do its' if one else 'these pictures do their'} strongest concepts" in html
    assert "the mean of" not in html.split('class="sp-side"')[1].split("</section>")[0], "only Compare takes means"
    assert html.count("data-save=") >= 6


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("latents:DEAD", "active in no picture (dead)"),
        ("label:purple", "There is no label “purple”"),
        ("image:100000", "There is no picture 100000"),
        ("image:x", "are no numbers of pictures"),
        ("upload", "There is no upload in this session"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence_with_ways_on(shown: LatentStore, said: str, sentence: str) -> None:
    dead = int(np.flatnonzero(shown.latents.n_active == 0)[0])
    html = html_of(run_page("spans", of=said.replace("DEAD", str(dead))))
    assert sentence in html
    assert 'role="alert"' in html
    assert 'href="spans?of=' in html


def test_nothing_chosen_is_an_invitation(shown: LatentStore) -> None:
    html = html_of(run_page("spans"))
    assert "Concept spans" in html
    assert 'role="alert"' not in html
    assert html.count('href="spans?of=') >= 3


def test_the_page_tells_of_the_directions_asked_for(shown: LatentStore) -> None:
    html = html_of(run_page("spans", of="label:red things", n="20", j="2", seed="3"))
    assert "Each picture’s own 2 strongest directions hold" in html
    assert 'href="spans?of=label:red+things&amp;n=20&amp;j=2&amp;seed=4"' in html
    assert '<input type="hidden" name="seed" value="3">' in html


def test_this_sessions_upload_has_its_spans(shown: LatentStore) -> None:
    app = run_page("inspect")
    app.file_uploader[0].upload("mine.png", encoded(picture(4)[1]), "image/png").run()
    app.switch_page("../pages/spans.py")
    app.query_params["of"] = "upload"
    html = html_of(app.run())
    assert "mine.png" in html
    assert "your picture, kept in this session only" in html
    for question in ("This picture’s", "How few concepts explain", "nearest pictures"):
        assert question in html


def test_nothing_of_an_upload_is_remembered(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: list[str] = []
    monkeypatch.setattr(spans, "_measured", lambda _version, name, *_: remembered.append(name))
    monkeypatch.setattr(spans, "_energy", lambda _version, said, *_: remembered.append(said))
    for draw in ("draw", "draw_plot"):
        monkeypatch.setattr(spans, draw, lambda *_: None)
    mine = chosen(store, "upload", Uploaded("mine.jpg", store.embedding(7)))
    spans.draw_energy(store, mine, SpansQuery("upload", n=20))
    spans.draw_neighbourhood(store, mine, SpansQuery("upload", n=20))
    assert remembered == []


@pytest.mark.parametrize(("page", "asked"), [("compare", ("a",)), ("spans", ("of", "with"))])
def test_forms_offer_the_labels_of_most_pictures_and_take_any(
    shown: LatentStore, monkeypatch: pytest.MonkeyPatch, page: str, asked: tuple[str, ...]
) -> None:
    counts = dict(zip(shown.labels.titles, shown.labels.counts.tolist(), strict=True))
    assert shown.labels.offered(10**9) == sorted(counts, key=lambda title: -counts[title])
    for place in ("explorer.views.latent_table", "explorer.geometry"):
        monkeypatch.setattr(f"{place}.MAX_LABELS", 1)
    most, *_, rare = shown.labels.offered(10**9)
    html = html_of(run_page(page, **dict.fromkeys(asked, f"label:{rare}")))
    offered = re.findall(r'<option value="([^"]+)"></option>', html)
    assert offered == [most] * len(asked)
    assert f"here is no label “{rare}”" not in html


def test_the_head_of_very_many_labels_is_computed_once(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """80 MB, as of 20,000 labels."""
    monkeypatch.setattr(
        few_latents, "global_head", lambda _: Head(np.zeros((20_000, 512)), np.zeros(20_000), np.arange(20_000))
    )
    again = LatentStore.open(store.path)
    first = few_latents.own_head(again)
    assert first is not None
    assert few_latents.own_head(again) is first


def test_heads_are_trained_only_when_asked(shown: LatentStore) -> None:
    offered = html_of(run_page("spans", of="image:7", n="20"))
    assert "heads=1" in offered
    assert "those of gains paired" not in offered
    assert "those of gains paired" in html_of(run_page("spans", of="image:7", n="20", heads="1"))


def test_hostile_text_stays_text(hostile_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARSIGHT_STORE", str(hostile_store))
    store = LatentStore.open(hostile_store)
    html = html_of(run_page("spans", of=f"label:{store.labels.names[0]}", n="10", heads="1"))
    assert "<script>" not in html
    assert "<img src=x" not in html


def test_pictures_of_one_colour_and_duplicates_without_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(24):
        shade = (number // 12) * 200
        (folder / f"{number}.png").write_bytes(encoded(Image.new("RGB", (40, 40), (shade, shade, shade))))
    path = make_store(tmp_path / "store", images=folder)
    store = LatentStore.open(path)
    energy = build_energy(store, chosen(store, "image:0,1,2"), centred=True)
    assert all(np.isfinite(curve.middle).all() for curve in energy.curves)
    view = build_neighbourhood(store, chosen(store, "image:0"), 12)
    assert view.label is None
    assert [row.name for row in view.rows] == ["nearest pictures", "random pictures", "random neighbourhoods"]
    assert all(row.labels is None for row in view.rows)
    assert "–" in neighbourhood_sections.neighbourhood_table(view)
    monkeypatch.setenv("SPARSIGHT_STORE", str(path))
    assert "no two labels" not in html_of(run_page("spans", of="image:0", n="12"))
    assert "pictures of at least two labels" in html_of(run_page("spans", of="image:0", n="12", heads="1"))


def test_a_text_that_nothing_matches_still_has_its_nearest_pictures(shown: LatentStore) -> None:
    html = html_of(run_page("spans", of="text:qwzx vlkj", n="10"))
    assert "“qwzx vlkj”" in html
    assert "How few concepts explain" in html


def test_what_random_pictures_hold_is_asked_once_a_store(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another label with as many pictures only its own neighbourhood is searched for."""
    monkeypatch.setattr(random_energy, "_recent", RecentArrays(2**20))
    monkeypatch.setattr(few_latents, "_recent", RecentArrays(2**20))
    asked: list[int] = []
    search = LatentStore.nearest_images_of_each

    def counted(of: LatentStore, embeddings: np.ndarray, n: int) -> list[Neighbours]:
        asked.append(len(embeddings))
        return search(of, embeddings, n)

    monkeypatch.setattr(LatentStore, "nearest_images_of_each", counted)
    first, other = (chosen(store, said) for said in ("label:red things", "label:green things"))
    assert len(first.embeddings) == len(other.embeddings)
    for resolved, wanted in ((first, [random_energy.N_SETS, 1, 8]), (other, [1])):
        asked.clear()
        build_energy(store, resolved, centred=True)
        build_neighbourhood(store, resolved, 20)
        assert asked == wanted
    build_energy(store, other, centred=False)
    assert asked == [1, random_energy.N_SETS], "energies from another origin are others"
