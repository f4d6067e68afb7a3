"""Compare: the view against the store's own figures, and every state of the page."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from explorer import notes
from explorer.angle_charts import angles_csv
from explorer.compare_charts import parts_chart, parts_csv
from explorer.sections.angles import _answer
from explorer.sections.compare import _how, answer
from explorer.stores import STORE_VARIABLE
from explorer.views import angles as views
from explorer.views import overlap
from explorer.views.angles import build_angles
from explorer.views.compare import Comparison, build_comparison
from explorer.views.parts import latent_ref, latent_refs
from explorer.views.random_cosines import random_cosines
from explorer.views.resolved import Resolved, resolve
from explorer.views.selection import read_selection
from explorer.views.sides import span_latents
from sae_core import LatentStore
from sae_core.spans import principal_angles
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE
from tests.support.pictures import encoded, picture


def chosen(store: LatentStore, said: str) -> Resolved:
    selection = read_selection(store, said)
    assert selection
    return resolve(store, selection, lambda text: store.embedding(len(text)), None)


def compared(store: LatentStore, a: str, b: str, centred: bool | None = None) -> Comparison:
    return build_comparison(store, chosen(store, a), chosen(store, b), centred)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(
    ("a", "b"), [("3", "17"), ("label:red things", "label:green things"), ("3, 4, 5", "label:red things"), ("9", "9")]
)
def test_bars_rest_bias_and_residual_add_up_to_the_cosine(store: LatentStore, a: str, b: str, centred: bool) -> None:
    view = compared(store, a, b, centred)
    mean = store.embeddings(range(store.n_images)).astype("f8").mean(0) if centred else 0.0
    means = [chosen(store, said).embeddings.astype("f8").mean(0) - mean for said in (a, b)]
    wanted = means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1])
    total = sum(part.part for part in view.bars) + view.rest + view.bias + view.residual
    assert total == pytest.approx(view.cosine, abs=1e-9)
    assert view.cosine == pytest.approx(wanted, abs=1e-6 if centred else 1e-9)  # the store keeps its mean in float32
    assert view.chance.low <= view.baseline <= view.chance.high


def test_parts_know_where_their_latents_are_active(store: LatentStore) -> None:
    view = compared(store, "3", "17")
    left, right = (set(store.code(image).latents.tolist()) for image in (3, 17))
    groups = {"both": left & right, "a": left - right, "b": right - left}
    for where, latents in groups.items():
        assert view.counts[where] == len(latents)  # type: ignore[index]
        assert {row.part.ref.latent for row in view.lists[where]} <= latents  # type: ignore[index]
    activations = dict(zip(*store.code(3), strict=True))
    for row in view.lists["a"]:
        assert row.part.mean_a == pytest.approx(activations[row.part.ref.latent])
        assert row.part.mean_b <= 0
    sizes = [abs(part.part) for part in view.bars]
    assert sizes == sorted(sizes, reverse=True)


def test_pictures_on_both_sides_share_their_latents_for_certain(store: LatentStore) -> None:
    # Of four pictures 0, 1, 2 are drawn, 0, 1 here and 1, 2 there: two active ones are missed by a side if it is the
    # other two (1/6 each, never both); a single one is on both sides only as the shared picture.
    assert overlap._shared_by_chance(np.array([2, 0, 4, 1]), 4, 2, 2, 1) == pytest.approx(4 / 6 + 0 + 1 + 1 / 4)
    assert overlap._shared_by_chance(np.array([1, 1, 3]), 4, 4, 4, 4) == 3, "in all pictures all are active"
    assert overlap._shared_by_chance(np.array([1]), 4, 4, 1, 0) == pytest.approx(0.25), "an upload beside all"
    itself = compared(store, "3", "3").overlap
    assert itself.by_pictures == pytest.approx(store.latents["density"].sum())  # L0, of any picture with itself
    apart = compared(store, "3", "4").overlap
    n, n_active = store.n_images, store.latents["n_active"]
    assert apart.by_pictures == pytest.approx((n_active * (n_active - 1)).sum() / (n * (n - 1)))


def test_overlap_against_chance(store: LatentStore) -> None:
    """The expectation by pictures, against pairs of random sets."""
    overlap = compared(store, "label:red things", "3, 4, 5").overlap
    alive = int((store.latents.n_active > 0).sum())
    assert overlap.by_latents == pytest.approx(overlap.n_a * overlap.n_b / alive)
    rng, n_red = np.random.default_rng(0), len(chosen(store, "label:red things").image_ids)
    drawn = []
    for _ in range(400):
        active, order = [], rng.permutation(store.n_images)
        for side in (order[:n_red], order[n_red - 1 : n_red + 2]):  # one of the three is red
            indices, activations = store.codes(side)
            active.append(set(indices[activations > 0].tolist()))
        drawn.append(len(active[0] & active[1]))
    assert overlap.by_pictures == pytest.approx(np.mean(drawn), rel=0.02)


@pytest.mark.parametrize(("sizes", "n_same", "centred"), [((8, 3), 0, False), ((8, 5), 4, True), ((1, 1), 0, False)])
def test_random_pictures_are_as_alike_as_is_said(
    store: LatentStore, sizes: tuple[int, int], n_same: int, centred: bool
) -> None:
    rng, x = np.random.default_rng(7), store.embeddings(range(store.n_images)).astype("f8")
    mean, found = x.mean(0) * centred, []
    for _ in range(3_000):
        ids = rng.choice(store.n_images, sum(sizes) - n_same, replace=False).tolist()
        left, right = ids[: sizes[0]], ids[:n_same] + ids[sizes[0] :]
        a, b = (x[side].mean(0) - mean for side in (left, right))
        found.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    said = random_cosines(store, *sizes, n_same, centred=centred)
    assert said.mean == pytest.approx(np.mean(found), abs=0.04)
    assert said.low == pytest.approx(np.quantile(found, 0.05), abs=0.08)
    assert said.high == pytest.approx(np.quantile(found, 0.95), abs=0.08)


def test_random_sets_are_not_called_alike(store: LatentStore) -> None:
    """Of pairs of random sets about nine in ten are as alike as chance has it, and overlap is no likeness."""
    rng, verdicts = np.random.default_rng(3), []
    for number in range(60):
        ids = rng.choice(store.n_images, 24, replace=False).tolist()
        sides = (ids[:12], ids[6:18] if number % 2 else ids[12:])
        verdicts.append(_how(compared(store, *(",".join(map(str, side)) for side in sides))))
    assert verdicts.count("as alike as may be by chance:") >= 46, verdicts
    same = compared(store, "label:red things", "label:red things")
    assert same.chance.low == pytest.approx(1) and "one and the same" in answer(same)


def test_angles_of_chosen_latents(store: LatentStore) -> None:
    """Two latents against one of them and another: the first angle is zero."""
    alive = store.latents.index[store.latents.n_active > 5].tolist()[:3]
    assert span_latents(chosen(store, f"latents:{alive[1]},{alive[0]}")) == [alive[1], alive[0]]
    angles = build_angles(store, alive[:2], alive[1:])
    assert angles
    assert angles.degrees[0] == pytest.approx(0, abs=1e-4)
    assert angles.n_shared == 1
    assert build_angles(store, alive[:2], []) is None
    doubled = build_angles(store, [alive[0], alive[0]], alive[1:])
    assert doubled
    assert doubled.dimensions == (1, 2)
    assert len(doubled.degrees) == len(doubled.latents.low) == 1


def test_one_angle_alone_is_told_in_degrees(shown: LatentStore) -> None:
    one, other = shown.latents.index[shown.latents.n_active > 5].tolist()[:2]
    html = html_of(run_page("compare", a=f"#{one}", b=f"#{other}"))
    cosine = abs(float(shown.directions[one] @ shown.directions[other]))
    assert f"Their angle is {np.degrees(np.arccos(cosine)):.1f}°" in html


def test_random_latents_are_as_often_active_as_those_they_stand_for(store: LatentStore) -> None:
    density = store.latents["density"].to_numpy()
    order = np.argsort(-density)
    dense, rare = order[:3].tolist(), order[density[order] > 0][-3:].tolist()
    asked: list[np.ndarray] = []
    with pytest.MonkeyPatch.context() as patch:
        real = views.random_of_equal_density
        patch.setattr(views, "random_of_equal_density", lambda *given: asked.append(real(*given)) or asked[-1])
        angles = build_angles(store, dense, rare)
    assert angles
    assert [side.shape for side in asked] == [(60, 3), (60, 3)]
    found = [
        np.degrees(principal_angles(*(store.directions[side] for side in pair))) for pair in zip(*asked, strict=True)
    ]
    np.testing.assert_allclose(angles.latents.median, np.median(found, axis=0), rtol=1e-5)
    assert not set(asked[0].ravel().tolist()) & set(dense)


def test_too_few_other_latents_leave_the_baseline_open(store: LatentStore) -> None:
    alive = store.latents.index[store.latents.n_active > 0].tolist()
    angles = build_angles(store, alive, alive)
    assert angles and all(np.isnan(angles.latents.low)) and angles.n_below_chance == 0
    assert _answer(angles).endswith("; too few other latents are active to say what chance gives")
    one = build_angles(store, alive, alive[:1])
    assert one and _answer(one) == "Their angle is 0.0°; too few other latents are active to say what chance gives"


def test_zero_is_not_below_zero(store: LatentStore) -> None:
    """Where random latents often share a direction, sharing one is no sign of anything."""
    some = store.latents.index[store.latents.n_active > 0].tolist()
    n = len(some) // 3
    angles = build_angles(store, some[:n], some[:n])
    assert angles and n > 5
    assert angles.latents.low[0] == pytest.approx(0, abs=1e-4)
    assert angles.n_shared == len(angles.degrees)
    assert angles.n_below_chance == sum(low > 0.02 for low in angles.latents.low)


def test_span_of_a_picture_is_that_of_its_active_latents(store: LatentStore) -> None:
    assert span_latents(chosen(store, "7")) == store.code(7).latents.tolist()
    many = chosen(store, "label:red things")
    dense = np.zeros((len(many.embeddings), store.n_latents))
    np.put_along_axis(dense, many.indices, np.maximum(many.activations, 0), axis=1)
    assert set(span_latents(many)) == set(np.argsort(-dense.sum(0))[: store.k].tolist())


@pytest.mark.parametrize(("a", "b"), [("3", "17"), ("label:red things", "label:green things")])
def test_the_chart_shows_what_the_table_says(store: LatentStore, a: str, b: str) -> None:
    view = compared(store, a, b)
    latents, sums = parts_chart(view).data[:2]
    table = list(csv.DictReader(parts_csv(view).splitlines()))
    found = {row["latent"]: float(row["part_of_cosine"]) for row in table}
    labels = parts_chart(view).layout.yaxis.ticktext
    assert [found[label.split()[0][1:]] for label in labels] == pytest.approx(latents.x)
    numbers = {int(latent): part for latent, part in found.items() if latent.isdigit()}
    assert set(numbers) == {one.ref.latent for one in (*view.bars, *view.others)}, "all of them"
    smaller = sum(part for latent, part in numbers.items() if f"#{latent}" not in [one.split()[0] for one in labels])
    assert view.others or a == "3", "a set has more latents than bars"
    rest = [smaller] if view.others else []
    assert sums.x == pytest.approx([sum(latents.x), *rest, found["bias"], found["residual"], found["cosine"]])
    assert sum(sums.x[:-1]) == pytest.approx(sums.x[-1])
    assert [*sums.base[1:-1], sums.x[-1]] == pytest.approx(np.cumsum(sums.x[:-1]))
    assert view.angles
    assert len(angles_csv(view.angles).splitlines()) == 1 + len(view.angles.degrees)


def test_a_name_by_clip_keeps_its_sign_in_the_chart_and_the_table(store: LatentStore) -> None:
    view = compared(store, "3", "17")
    ref = replace(view.bars[0].ref, name="fog", by_clip=True)
    view = replace(view, bars=(replace(view.bars[0], ref=ref), *view.bars[1:]))
    assert parts_chart(view).layout.yaxis.ticktext[0] == f"#{ref.latent} ~fog"
    assert parts_csv(view).splitlines()[1].startswith(f"{ref.latent},~fog,")


def test_the_store_itself_has_nothing_beyond_its_mean(store: LatentStore) -> None:
    ids = np.arange(store.n_images)
    everything = replace(chosen(store, "3"), embeddings=store.embeddings(ids), image_ids=ids)
    view = build_comparison(store, everything, chosen(store, "17"), centred=True)
    assert (view.cosine, view.bias, view.residual) == (0, 0, 0)


def test_from_the_stores_mean_and_back(shown: LatentStore) -> None:
    two = {"a": "label:red things", "b": "label:green things"}
    usual, whole = (html_of(run_page("compare", **two, **more)) for more in ({}, {"centred": "0"}))
    assert "measured from the store’s mean" in usual and 'name="centred"' not in usual
    assert 'href="compare?a=label:red+things&amp;b=label:green+things&amp;centred=0"' in usual
    assert "measured from the store’s mean" not in whole
    assert 'href="compare?a=label:red+things&amp;b=label:green+things&amp;centred=1"' in whole
    assert 'href="compare?a=label:green+things&amp;b=label:red+things&amp;centred=0">swap' in whole
    assert '<input type="hidden" name="centred" value="0">' in whole


def test_two_pictures_are_compared_as_they_are_and_sets_from_the_mean(store: LatentStore) -> None:
    assert not compared(store, "3", "17").centred and compared(store, "3", "17", True).centred
    assert compared(store, "3, 4", "17").centred and not compared(store, "3, 4", "17", False).centred


def test_page_of_two_labels(shown: LatentStore) -> None:
    app = run_page("compare", a="label:red things", b="label:green things")
    html = html_of(app)
    for said in ("to CLIP", "Which latents make the cosine?", "What do they share?", "Do they span the same", "swap"):
        assert said.lower() in html.lower()
    assert "the mean of all 60" in html
    assert 'href="compare?a=label:green+things&amp;b=label:red+things"' in html
    assert html.count("its concept spans") == 2
    assert len(app.get("plotly_chart")) == 2


def test_page_of_two_pictures_leads_to_both(shown: LatentStore) -> None:
    html = html_of(run_page("compare", a="3", b="image:17"))
    assert html.count("its sparse code") == 2
    assert 'value="image:3"' in html
    assert 'href="spans?of=image:3"' in html


def test_a_picture_and_itself(shown: LatentStore) -> None:
    html = html_of(run_page("compare", a="3", b="3"))
    assert "one and the same to CLIP" in html
    assert "1.000" in html
    assert "every latent of this side is on the other too" in html


def test_nothing_chosen_is_an_invitation(shown: LatentStore) -> None:
    app = run_page("compare")
    html = html_of(app)
    assert "Two choices of pictures, side by side" in html
    assert html.count('class="sp-halves"') == 3
    assert html.rindex('class="sp-halves"') < html.index("Numbers are pictures"), "as on Spans"
    assert len(app.get("plotly_chart")) == 0


def test_one_choice_is_offered_others(shown: LatentStore) -> None:
    html = html_of(run_page("compare", b="label:red things"))
    assert "the nearest other picture" in html
    assert "a=label:red+things&amp;b=image:" in html
    assert 'b=label:red+things"' not in html.split("sp-halves")[1]


def test_a_side_that_is_not_there_is_one_sentence(shown: LatentStore) -> None:
    dead = int(np.flatnonzero(shown.latents.n_active == 0)[0])
    html = html_of(run_page("compare", a=f"#{dead}", b="image:999"))
    assert html.count('role="alert"') == 2
    assert f"A: Latent #{dead}: active in no picture (dead)." in html
    assert "B: There is no picture 999; this store has pictures 0 … 179." in html
    assert "no upload in this session" in html_of(run_page("compare", a="upload", b="3"))


def test_an_upload_can_be_compared(shown: LatentStore) -> None:
    app = run_page("inspect")
    app.file_uploader[0].upload("mine.png", encoded(picture(4)[1]), "image/png").run()
    app.switch_page("../pages/compare.py")
    app.query_params["a"], app.query_params["b"] = "upload", "image:4"
    html = html_of(app.run())
    assert "data:image/jpeg;base64," in html
    assert "mine.png" in html
    assert "kept in this session only" in html


def test_two_uploads_can_be_compared(shown: LatentStore) -> None:
    """The last one and the one before it; what is no picture takes nobody's place."""
    assert "There is no earlier upload in this session" in html_of(run_page("compare", a="upload:before", b="3"))
    app = run_page("inspect")
    for name, seed in (("first.png", 4), ("second.png", 5)):
        app.file_uploader[0].upload(name, encoded(picture(seed)[1]), "image/png").run()
    html = html_of(app)
    assert 'href="compare?a=upload:before&amp;b=upload"' in html
    assert "compare with first.png, your picture before" in html
    app.file_uploader[0].upload("none.png", b"no picture", "image/png").run()
    app.file_uploader[0].upload("third.png", encoded(picture(6)[1]), "image/png").run()
    app.switch_page("../pages/compare.py")
    app.query_params["a"], app.query_params["b"] = "upload:before", "upload"
    html = html_of(app.run())
    assert html.count("data:image/jpeg;base64,") == 2
    assert html.index("second.png") < html.index("third.png")
    assert "your picture before the last one, kept in this session only" in html
    assert html.count('href="inspect">its sparse code') == 1, "Inspect shows the last one"


def test_a_picture_that_is_taken_away_is_the_one_before(shown: LatentStore) -> None:
    """So a browser says that another takes its place."""
    app = run_page("inspect")
    app.file_uploader[0].upload("first.png", encoded(picture(4)[1]), "image/png").run()
    app.file_uploader[0].set_value(None).run()
    assert 'class="sp-picture"' not in html_of(app)
    app.file_uploader[0].upload("second.png", encoded(picture(5)[1]), "image/png").run()
    assert "compare with first.png, your picture before" in html_of(app)


def test_hostile_words_stay_words(hostile_store, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv(STORE_VARIABLE, str(hostile_store))
    for params in ({}, {"a": "1", "b": "2"}, {"a": f"label:{HOSTILE} 0", "b": f"label:{HOSTILE} x"}):
        html = html_of(run_page("compare", **params))
        assert "alert(1)" in html
        assert HOSTILE not in html
        assert "<script" not in html
        assert "<img src=x" not in html


def test_names_of_a_sum_are_looked_up_together(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pictures have hundreds of latents, all of which are in the saved table; each is what it is alone."""
    asked: list[int] = []
    real = notes.texts
    monkeypatch.setattr(notes, "texts", lambda store: asked.append(1) or real(store))
    view = compared(shown, "label:red things", "label:green things")
    assert view.others and len(asked) == 1 + sum(map(len, view.lists.values())), "once for all, and for each card"
    latents = list(range(shown.n_latents))
    assert latent_refs(shown, latents) == [latent_ref(shown, latent) for latent in latents]
