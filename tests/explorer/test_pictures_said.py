"""Pictures by words, label and meaning, alone and together with latents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from explorer import models
from explorer.recent import RecentArrays
from explorer.sections import pictures as sections
from explorer.sections.pictures_form import form
from explorer.views import pictures_meaning
from explorer.views.chance import EmbedTexts, strings
from explorer.views.pictures import build_pictures
from explorer.views.pictures_found import find
from explorer.views.pictures_query import PicturesQuery
from explorer.wording import plural
from sae_core import LatentStore
from sae_core.errors import EncoderError
from sae_core.store.hidden import HideList
from sae_core.store.images import ImageTable
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE

RED = "red things"


def found_ids(store: LatentStore, query: PicturesQuery, embed: EmbedTexts | None = None) -> list[int]:
    found: list[int] = find(store, query, embed).image_ids.tolist()
    return found


def said_by_hand(store: LatentStore, *beginnings: str) -> list[int]:
    """Pictures of which every one of these begins a word, from their own records."""

    def words(image_id: int) -> list[str]:
        record = store.image(image_id)
        text = f"{record.label} {record.title} {record.caption} {record.source_key}".casefold()
        return re.split(r"[\W_]+", text)

    every = {image_id: words(image_id) for image_id in range(store.n_images)}
    return [i for i, said in every.items() if all(any(one.startswith(b) for one in said) for b in beginnings)]


def labelled(store: LatentStore, label: str) -> list[int]:
    return [i for i in range(store.n_images) if store.image(i).label == label]


def active_in(store: LatentStore, latent: int) -> set[int]:
    return set(store.gallery(latent).image_ids.tolist())


def often(store: LatentStore, label: str) -> int:
    """A latent that is active in some pictures with the label, and not in all."""
    own = set(labelled(store, label))
    latents = (int(latent) for latent in store.latents["n_active"].nlargest(40).index)
    return next(latent for latent in latents if 0 < len(own & active_in(store, latent)) < len(own))


def places(store: LatentStore, known: str, at: int) -> EmbedTexts:
    """A text tower that puts one word on a picture, and all others close to one place."""
    rng = np.random.default_rng(3)
    nowhere = store.mean_embedding + 0.01 * rng.normal(size=store.manifest.d_embed)

    def embed(text: str) -> np.ndarray:
        place = store.embedding(at) if text == known else nowhere
        found: np.ndarray = (place / np.linalg.norm(place)).astype(np.float32)
        return found

    return lambda texts: list(map(embed, texts))


@pytest.mark.parametrize(
    "q", ["red", "RED thing", "number 12", "pictures.tar 0001", "thing_Things", "umber", "[a-z] .*"]
)
def test_words_begin_words_of_label_caption_or_key(store: LatentStore, q: str) -> None:
    parts = q.casefold().replace("_", " ").split()
    ids = found_ids(store, PicturesQuery(q=q))
    if q in ("umber", "[a-z] .*"):
        assert ids == [], "neither the middle of a word nor a pattern"
    elif q.startswith("pictures"):
        assert ids == [i for i in range(store.n_images) if "/0001" in store.image(i).source_key] != []
    else:
        assert ids == said_by_hand(store, *parts) != []


def test_a_label_is_all_of_its_pictures(store: LatentStore) -> None:
    for said in (RED, "Red_Things"):
        view = build_pictures(store, PicturesQuery(label=said))
        assert view.n == len(labelled(store, RED))
        assert all(tile.label == RED and tile.figure is None for tile in view.tiles)
    missing = build_pictures(store, PicturesQuery(label="red"))
    assert (
        missing.problem
        == f"There is no label “red”; this store has {plural(3, 'label')}. Parts of a label are found as words."
    )
    assert RED in build_pictures(store, PicturesQuery()).labels


def test_label_words_and_latents_hold_together(store: LatentStore) -> None:
    latent, own = often(store, RED), labelled(store, RED)
    without = found_ids(store, PicturesQuery(label=RED, none_of=(latent,)))
    assert without == [i for i in own if i not in active_in(store, latent)]
    with_it = build_pictures(store, PicturesQuery(label=RED, all_of=(latent,)))
    assert with_it.n + len(without) == len(own)
    strengths = [tile.figure for tile in with_it.tiles]
    assert strengths == sorted(strengths, reverse=True), "strongest first, as without a label"  # type: ignore[type-var]
    both = PicturesQuery(label=RED, q="number 1", none_of=(latent,))
    assert found_ids(store, both) == [i for i in without if i in said_by_hand(store, "number", "1")]


def test_the_baseline_counts_what_is_said(store: LatentStore) -> None:
    latent, own = often(store, RED), labelled(store, RED)
    view = build_pictures(store, PicturesQuery(label=RED, none_of=(latent,)))
    assert view.chance is not None and view.chance.n_said == len(own)
    assert view.chance.n == pytest.approx(len(own) * (1 - store.latents["density"][latent]))
    assert f" of the {len(own):,} that have this label" in sections.summary(view)
    assert build_pictures(store, PicturesQuery(label=RED, q="number")).chance is None, "no latent, nothing to depend on"


def test_of_no_picture_there_is_no_baseline(shown: LatentStore) -> None:
    a, b = (int(latent) for latent in shown.latents["n_active"].nlargest(2).index)
    asked = PicturesQuery(all_of=(a, b), label=RED, q="no-picture-says-this")
    view = build_pictures(shown, asked)
    assert (view.n, view.chance) == (0, None)
    html = html_of(run_page("pictures", all_of=f"{a} {b}", label=RED, q=asked.q))
    assert "; if the latents were independent" not in html
    assert f"<b>0</b> of {plural(180, 'picture')}<" in html


def test_a_text_orders_by_its_cosines(store: LatentStore) -> None:
    embed = places(store, "red", at=12)
    embedding = embed(["red"])[0]
    every = store.embeddings(range(store.n_images)) @ embedding
    view = build_pictures(store, PicturesQuery(text="red"), embed)
    assert view.n == store.n_images
    assert view.tiles[0].image_id == 12 and view.tiles[0].figure == pytest.approx(every[12], abs=1e-5)
    assert [tile.figure for tile in view.tiles] == pytest.approx(np.sort(every)[::-1][: len(view.tiles)], abs=1e-5)
    own = [i for i in labelled(store, RED) if i not in active_in(store, often(store, RED))]
    narrowed = found_ids(store, PicturesQuery(text="red", label=RED, none_of=(often(store, RED),)), embed)
    assert narrowed == sorted(own, key=lambda i: -every[i]), "it orders, and excludes nothing"


def test_what_a_cosine_is_worth(store: LatentStore) -> None:
    embed = places(store, "red", at=12)
    meaning = find(store, PicturesQuery(text="red"), embed).meaning
    assert meaning is not None
    every = store.embeddings(range(store.n_images)).astype(np.float64) @ embed(["red"])[0]
    assert meaning.mean == pytest.approx(every.mean(), abs=1e-5)
    assert meaning.best_z == pytest.approx((every.max() - every.mean()) / every.std(), rel=1e-3)
    others = store.embeddings(range(store.n_images)).astype(np.float64) @ np.stack(embed(strings())).T
    z = (others.max(0) - others.mean(0)) / others.std(0)
    assert meaning.chance.typical == pytest.approx(np.median(z), rel=1e-3)
    assert meaning.chance.high == pytest.approx(np.quantile(z, 0.95), rel=1e-3)


def test_among_some_pictures_a_cosine_is_held_against_the_same_pictures(store: LatentStore) -> None:
    """The picture that is "red" itself is not among them: that it stands out in the store says nothing of these."""
    embed = places(store, "red", at=12)
    others = next(title for title in store.labels.titles if 12 not in labelled(store, title))
    some = labelled(store, others)
    meaning = find(store, PicturesQuery(text="red", label=others), embed).meaning
    assert meaning is not None and 12 not in meaning.image_ids
    x = store.embeddings(range(store.n_images)).astype(np.float64)
    every = x @ embed(["red"])[0]
    assert meaning.best_z == pytest.approx((every[some].max() - every.mean()) / every.std(), rel=1e-3)
    strange = x @ np.stack(embed(strings())).T
    z = (strange[some].max(0) - strange.mean(0)) / strange.std(0)
    assert meaning.chance.high == pytest.approx(np.quantile(z, 0.95), rel=1e-3)
    whole = find(store, PicturesQuery(text="red"), embed).meaning
    assert whole is not None and whole.best_z > meaning.best_z


def test_a_text_among_no_pictures_is_no_find(store: LatentStore) -> None:
    found = find(store, PicturesQuery(text="red", q="no picture says this"), places(store, "red", at=12))
    assert found.n == 0 and found.meaning is not None and np.isnan(found.meaning.best_z)


def test_a_text_is_no_reason_that_nothing_is_found(store: LatentStore) -> None:
    """It orders only: the words alone exclude everything, and without them there is no nearest one to tell of."""
    view = build_pictures(store, PicturesQuery(text="red", q="zebra"), places(store, "red", at=12))
    assert [(way.text, way.href, way.n) for way in view.ways_out] == [
        ("words: zebra", "pictures?text=red", store.n_images)
    ]
    html = sections.summary(view) + sections.nothing(view)
    assert "No single condition" not in html and "has z" not in html and "Nearest in meaning" not in html
    several = build_pictures(store, PicturesQuery(text="red", q="zebra", none_of=(3,)), places(store, "red", at=12))
    assert [way.text for way in several.ways_out] == ["words: zebra"]


def test_where_all_cosines_are_the_same_there_is_no_z(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_meaning, "_spread", lambda _, embeddings: np.zeros((2, len(embeddings))))
    monkeypatch.setattr(pictures_meaning, "_KEPT", RecentArrays(10**6))
    view = build_pictures(store, PicturesQuery(text="red"), places(store, "red", at=12))
    html = sections.summary(view)
    assert view.tiles and "Compared: the text’s embedding" in html
    assert "has z" not in html and "Nothing stands out" not in html


def test_a_text_without_a_meaning_is_told_from_a_word(store: LatentStore) -> None:
    embed = places(store, "red", at=12)
    for text in ("red", "qwxzzy"):
        view = build_pictures(store, PicturesQuery(text=text), embed)
        assert view.meaning is not None
        html = sections.summary(view)
        assert ("Nothing stands out" in html) is not view.meaning.stands_out
        assert "For meaningless strings of letters the best match has z" in html
    assert view.meaning.stands_out is False


def test_of_very_many_only_the_nearest_are_looked_through(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_meaning, "MEASURED", 10)
    monkeypatch.setattr(pictures_meaning, "SEARCHED", 30)
    monkeypatch.setattr(pictures_meaning, "MOST", 12)
    embed = places(store, "red", at=12)
    every = store.embeddings(range(store.n_images)) @ embed(["red"])[0]
    view = build_pictures(store, PicturesQuery(text="red", label=RED), embed)
    nearest = np.argsort(-every, kind="stable")[:30].tolist()
    assert [tile.image_id for tile in view.tiles] == [i for i in nearest if i in labelled(store, RED)][:12]
    assert view.n == len(labelled(store, RED)), "the count is exact all the same"
    html = sections.summary(view)
    assert "only the store’s 30 nearest were looked through" in html
    assert f"the {len(view.tiles)} nearest in meaning shown" in html


def test_of_very_many_none_may_be_near(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """They match all the same: it is the text that they are far from."""
    monkeypatch.setattr(pictures_meaning, "MEASURED", 10)
    monkeypatch.setattr(pictures_meaning, "SEARCHED", 1)
    own = labelled(store, RED)
    at = next(i for i in range(store.n_images) if i not in own)
    view = build_pictures(store, PicturesQuery(text="red", label=RED), places(store, "red", at))
    html = sections.summary(view) + sections.nothing(view)
    assert (view.n, view.tiles) == (len(own), ())
    assert f"Of {plural(len(own), 'picture')} none is among the nearest to the text" in html
    assert 'href="pictures?label=red+things">Show them without the text' in html
    assert "No picture matches" not in html and "the 0 nearest" not in html and "has z" not in html


def test_without_the_encoder_the_rest_still_answers(store: LatentStore) -> None:
    def fails(_: Sequence[str]) -> list[np.ndarray]:
        raise EncoderError("the encoder demo cannot be loaded: no network")

    said = "Searching by meaning is not possible: the encoder demo cannot be loaded: no network."
    asked = PicturesQuery(text="anything", label=RED)
    view = build_pictures(store, asked, fails)
    assert view.text_problem == said and view.problem is None
    assert view.tiles == build_pictures(store, replace(asked, text="")).tiles
    alone = build_pictures(store, PicturesQuery(text="anything", none_of=(3,)), fails)
    assert (alone.problem, alone.text_problem, alone.tiles) == (said, None, ())


def test_the_page_says_that_the_encoder_is_not_here(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object, reference: str | None) -> None:
        raise EncoderError("the encoder cannot be loaded")

    monkeypatch.setattr(LatentStore, "load_encoder", fails)
    models._encoder.clear()
    html = html_of(run_page("pictures", text="a text that no picture was asked for", q="red"))
    assert "Searching by meaning is not possible: the encoder cannot be loaded; SPARSIGHT_ENCODER=FOLDER says" in html
    assert 'class="sp-tile"' in html and html.count('role="alert"') == 1


def test_words_are_read_once(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large store's columns are long: another page, or another latent, does not read them again."""
    calls: list[str] = []
    say = ImageTable.say
    monkeypatch.setattr(ImageTable, "say", lambda self, word, rows: calls.append(word) or say(self, word, rows))
    for page, latents in ((1, ()), (2, ()), (1, (3,)), (1, (4,))):
        build_pictures(store, PicturesQuery(q="thing numb", page=page, none_of=latents))
    assert calls == ["thing", "numb"]


def test_words_narrow_what_is_read(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest first; what another begins with is implied; of the rest only what has the words before is read."""
    read: list[tuple[str, int]] = []
    say = ImageTable.say
    monkeypatch.setattr(
        ImageTable, "say", lambda self, word, rows: read.append((word, int(rows.sum()))) or say(self, word, rows)
    )
    found = found_ids(store, PicturesQuery(q="num n number 12 n"))
    assert found == said_by_hand(store, "number", "12") != []
    assert read == [("number", store.n_images), ("12", len(said_by_hand(store, "number")))]
    read.clear()
    found = found_ids(store, PicturesQuery(q="red 12"))
    assert found == said_by_hand(store, "red", "12") != []
    assert read[0][1] == store.n_images - len(labelled(store, RED)), "not of pictures whose label says it"
    read.clear()
    found = found_ids(store, PicturesQuery(q="12", label=RED))
    assert found == [i for i in said_by_hand(store, "12") if i in labelled(store, RED)] != []
    assert read == [("12", len(found_ids(store, PicturesQuery(label=RED))))], "of a label only its own"


def test_everything_is_in_the_address(shown: LatentStore) -> None:
    latent = often(shown, RED)
    said = {"none_of": str(latent), "q": "number", "label": RED, "text": "red"}
    query = PicturesQuery.from_params({**said, "page": "2"})
    assert (query.q, query.label, query.text, query.page) == ("number", RED, "red", 2)
    assert query.url(2) == f"pictures?none_of={latent}&q=number&label=red+things&text=red&page=2"
    html = html_of(run_page("pictures", **said))
    for name in ("q", "label", "text"):
        assert f'name="{name}" value="{said[name]}"' in html
        assert re.search(rf'href="{re.escape(query.saying(**{name: ""}).url().replace("&", "&amp;"))}"', html), name


def test_nothing_found_names_the_condition_and_the_way_by_meaning(shown: LatentStore) -> None:
    html = html_of(run_page("pictures", q="number zebra", label=RED))
    assert "No picture matches" in html
    assert f"Without “words: number zebra”</a>: {plural(len(labelled(shown, RED)), 'picture')}" in html
    assert 'href="pictures?label=red+things&amp;text=number+zebra"' in html


def test_a_store_without_labels_offers_none(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = store.labels._replace(codes=np.full(store.n_images, -1, np.int32), names=[], titles=[], counts=np.zeros(0))
    monkeypatch.setitem(vars(store), "labels", empty)
    monkeypatch.setattr("explorer.views.pictures_found._recent", RecentArrays(10**6))
    monkeypatch.setattr(type(store), "has_captions", False)
    view = build_pictures(store, PicturesQuery(label=RED))
    assert view.problem is not None and "this store’s pictures have no labels" in view.problem
    assert 'name="label"' not in form(view)
    assert "begin a word of the picture&#x27;s file name, in" in form(view)
    assert found_ids(store, PicturesQuery(q="0001")) != []


def test_of_withheld_pictures_nothing_is_told(store: LatentStore) -> None:
    first, second = labelled(store, RED)[:2]
    other = "blue things"
    open_ = LatentStore.open(store.path, hide=HideList(labels=(other,), pictures=(first,)))
    assert found_ids(open_, PicturesQuery(label=RED)) == labelled(store, RED)[1:]
    assert build_pictures(open_, PicturesQuery(label=other)).problem is not None
    assert found_ids(open_, PicturesQuery(q="blue")) == []
    assert found_ids(open_, PicturesQuery(q="withheld")) == []
    embed = places(store, "red", at=first)
    near = found_ids(open_, PicturesQuery(text="red"), embed)
    assert first not in near and second in near and not set(near) & set(labelled(store, other))
    assert find(open_, PicturesQuery(text="red"), embed).n == len(near) == store.n_images - open_.hidden.n_pictures
    latent = int(store.code(first).latents[0])
    assert first in found_ids(open_, PicturesQuery(all_of=(latent,))), "a gallery keeps its place"
    for more in ({"label": RED}, {"q": "red"}, {"text": "red"}):
        assert first not in found_ids(open_, PicturesQuery(all_of=(latent,), **more), embed)  # type: ignore[arg-type]


def test_a_text_is_held_against_strings_among_what_is_shown(store: LatentStore) -> None:
    """Else a text would be judged by pictures that it could not find."""
    embed = places(store, "red", at=12)
    x = store.embeddings(range(store.n_images)).astype(np.float64)
    strange = x @ np.stack(embed(strings())).T
    hidden = tuple(int(i) for i in np.unique(strange.argmax(0)))
    meaning = find(
        LatentStore.open(store.path, hide=HideList(pictures=hidden)), PicturesQuery(text="red"), embed
    ).meaning
    shown = np.setdiff1d(np.arange(store.n_images), hidden)
    z = (strange[shown].max(0) - strange.mean(0)) / strange.std(0)
    assert meaning is not None and meaning.chance.high == pytest.approx(np.quantile(z, 0.95), rel=1e-3)


def test_what_is_said_stays_text(shown: LatentStore) -> None:
    for name in ("q", "label", "text"):
        html = html_of(run_page("pictures", **{name: HOSTILE}))
        assert "<script" not in html and "<img src=x" not in html
