"""Choices of pictures: how they are read from the address or from what a person types, and what they hold."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.views.resolved import MAX_PICTURES, Resolved, Uploaded, resolve
from explorer.views.selection import Selection, read_selection
from sae_core import LatentStore
from sae_core.errors import SparsightError


def chosen(store: LatentStore, said: str, upload: Uploaded | None = None) -> Resolved:
    selection = read_selection(store, said)
    assert selection
    return resolve(store, selection, lambda text: store.embedding(len(text)), upload)


@pytest.mark.parametrize(
    ("said", "kind", "value"),
    [
        ("image:3", "image", "3"),
        ("image: 3, 17 3", "image", "3,17"),
        ("12 15", "image", "12,15"),
        ("latents:12,#40", "latents", "12,40"),
        ("#12 #40", "latents", "12,40"),
        ("12, #40", "latents", "12,40"),
        ("label:green things", "label", "green things"),
        ("Green_Things", "label", "green things"),
        ("text:green things", "text", "green things"),
        ("a red car", "text", "a red car"),
        ("photo: a car", "text", "photo: a car"),
        ("upload", "upload", ""),
    ],
)
def test_what_is_said_is_read(store: LatentStore, said: str, kind: str, value: str) -> None:
    selection = read_selection(store, said)
    assert selection == Selection(kind, value)  # type: ignore[arg-type]
    assert read_selection(store, selection.said) == selection


@pytest.mark.parametrize("said", ["image:", "image:x", "latents:-3", "latents:1,two", "image:3;;;4x"])
def test_what_is_no_number_is_one_sentence(store: LatentStore, said: str) -> None:
    with pytest.raises(SparsightError, match="are no numbers of"):
        read_selection(store, said)


def test_nothing_said_is_no_choice(store: LatentStore) -> None:
    assert read_selection(store, "  ") is None


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("image:180", "there is no picture 180; this store has pictures 0 … 179"),
        ("latents:96", "there is no latent 96"),
        ("label:purple", "there is no label “purple”; this store has 3"),
        ("upload", "there is no upload in this session"),
        ("text:" + "a" * 301, "300 characters at most"),
        ("latents:" + ",".join(map(str, range(65))), "64 latents at most"),
    ],
)
def test_what_is_not_there_is_one_sentence(store: LatentStore, said: str, sentence: str) -> None:
    with pytest.raises(SparsightError, match=sentence):
        chosen(store, said)


def test_dead_latents_have_no_pictures(store: LatentStore) -> None:
    dead = int(np.flatnonzero(store.latents.n_active == 0)[0])
    with pytest.raises(SparsightError, match=r"active in no picture \(dead\)"):
        chosen(store, f"#{dead}")


def test_one_picture_is_its_own_centre(store: LatentStore) -> None:
    found = chosen(store, "image:7")
    np.testing.assert_allclose(found.centre, store.embedding(7), atol=1e-6)
    assert found.image_ids.tolist() == [7]
    assert found.indices.tolist() == store.codes([7])[0].tolist()
    assert found.title == store.image(7).caption


def test_a_label_is_all_of_its_pictures(store: LatentStore) -> None:
    found = chosen(store, "label:red things")
    assert {store.image(i).label for i in found.image_ids.tolist()} == {"red things"}
    assert (found.n_found, len(found.image_ids), found.label) == (60, 60, store.labels.names.index("red things"))
    mean = found.embeddings.mean(0)
    np.testing.assert_allclose(found.centre, mean / np.linalg.norm(mean), atol=1e-5)


def test_of_many_pictures_some_are_drawn(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.views.resolved.MAX_PICTURES", 10)
    found, again = chosen(store, "label:red things"), chosen(store, "label:red things")
    assert (found.n_found, len(found.image_ids)) == (60, 10)
    assert found.image_ids.tolist() == again.image_ids.tolist() == sorted(set(found.image_ids.tolist()))
    assert MAX_PICTURES > 10


def test_latents_are_the_pictures_where_any_is_active(store: LatentStore) -> None:
    first, second = store.latents.n_active.nlargest(2).index.tolist()
    found = chosen(store, f"latents:{first},{second}")
    wanted = {*store.gallery(first).image_ids.tolist(), *store.gallery(second).image_ids.tolist()}
    assert found.n_found == len(wanted)
    assert set(found.image_ids.tolist()) <= wanted
    assert found.latents == (first, second)


def test_words_are_the_pictures_nearest_to_their_text(store: LatentStore) -> None:
    found = chosen(store, "some words")
    wanted = store.nearest_images(store.embedding(len("some words")), len(found.image_ids)).ids
    assert found.image_ids.tolist() == wanted.tolist()
    assert found.title == "“some words”"


def test_an_upload_is_encoded_by_the_store(store: LatentStore) -> None:
    found = chosen(store, "upload", Uploaded("mine.jpg", store.embedding(11)))
    assert len(found.image_ids) == 0
    assert found.indices[0].tolist() == store.codes([11])[0][0].tolist()
    assert found.title == "mine.jpg"
