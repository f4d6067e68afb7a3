"""What a hide-list withholds is not to be had from an open store, whichever way it is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sae_core import LatentStore
from sae_core.errors import HideListError, WithheldError
from sae_core.store.hidden import WITHHELD, HideList
from tests.support.stores import make_store


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hidden") / "store", n_images=120, n_latents=64, k=6)


@pytest.fixture(scope="module")
def plain(path: Path) -> LatentStore:
    return LatentStore.open(path)


@pytest.fixture(scope="module")
def latent(plain: LatentStore) -> int:
    """One that is active in many pictures."""
    return int(plain.latents["n_active"].argmax())


def hiding(path: Path, **entries: object) -> LatentStore:
    return LatentStore.open(path, hide=HideList.model_validate(entries))


def test_nothing_changes_without_an_entry(path: Path, plain: LatentStore) -> None:
    store = hiding(path)
    assert not store.hidden
    assert store.version == plain.version
    assert store.images([3]) == plain.images([3])


def test_a_hidden_latent_looks_dead_and_nameless(path: Path, plain: LatentStore, latent: int) -> None:
    store = hiding(path, latents=[latent])
    assert plain.gallery_size(latent) > 12
    assert store.gallery_size(latent) == 0
    assert len(store.gallery(latent).image_ids) == 0
    assert len(store.random_members(latent, 5, seed=0).image_ids) == 0
    assert len(store.near_misses(latent).image_ids) == 0
    assert store.histogram(latent).counts.sum() == 0
    assert len(store.label_profile(latent).codes) == 0
    assert len(store.coactive(latent).latents) == 0
    assert len(store.effects(latent).labels) == 0
    assert len(store.similar_latents(latent, 5).ids) == 0
    row = store.latents.loc[latent]
    assert (row["n_active"], row["density"], row["max_activation"], bool(row["name_good"])) == (0, 0.0, 0.0, False)
    assert row[["name", "top_label", "label_purity", "monosemanticity", "name_score"]].isna().all()
    others = store.latents.index != latent
    assert store.latents[others].equals(plain.latents[others])
    assert (store.latents.dtypes == plain.latents.dtypes).all()


def test_a_hidden_latent_is_named_beside_no_other(path: Path, plain: LatentStore) -> None:
    partners = {other: plain.coactive(other).latents.tolist() for other in range(plain.n_latents)}
    other = max(partners, key=lambda one: len(partners[one]))
    latent = partners[other][0]
    store = hiding(path, latents=[latent])
    assert store.coactive(other).latents.tolist() == partners[other][1:]
    pairs = store.coactive_pairs()
    assert latent not in {*pairs.first.tolist(), *pairs.second.tolist()}
    assert latent in plain.coactive_pairs().first
    near = plain.similar_latents(other, 10).ids.tolist()
    store = hiding(path, latents=near[:3])
    assert store.similar_latents(other, 7).ids.tolist() == near[3:]


def test_a_hidden_latent_is_found_by_no_question(path: Path, latent: int) -> None:
    store = hiding(path, latents=[latent])
    text = np.array(store.directions[latent])
    for against in ("centroids", "directions"):
        scores = store.text_scores(text, against)  # type: ignore[arg-type]
        assert np.isnan(scores[latent])
        assert np.isfinite(scores).sum() > 20
    for lists in ({"all_of": [latent]}, {"any_of": [latent]}, {"all_of": [latent + 1], "none_of": [latent]}):
        with pytest.raises(WithheldError, match=f"latent #{latent} is withheld"):
            store.images_where(**lists)  # type: ignore[arg-type]


def test_of_a_hidden_picture_only_its_number_is_said(path: Path, plain: LatentStore) -> None:
    store = hiding(path, pictures=[7, plain.image(9).source_key])
    assert store.hidden.n_pictures == 2
    for image_id in (7, 9):
        record = store.image(image_id)
        assert record.hidden
        assert (record.source_key, record.label, record.caption, record.title, record.sha256) == ("", *[None] * 3, "")
        assert store.thumbnail(image_id) is None
        assert store.original(image_id) is None
        for read in (store.code, store.embedding):
            with pytest.raises(WithheldError, match=f"picture {image_id} is withheld"):
                read(image_id)
    assert store.thumbnail(8) == plain.thumbnail(8) is not None
    assert store.image(8) == plain.image(8)


def test_a_hidden_picture_keeps_its_place_in_a_gallery(path: Path, plain: LatentStore, latent: int) -> None:
    first = int(plain.gallery(latent).image_ids[0])
    found = hiding(path, pictures=[first]).gallery(latent)
    assert found.image_ids.tolist() == plain.gallery(latent).image_ids.tolist()


def test_a_hidden_label_takes_its_name_and_its_pictures_with_it(path: Path, plain: LatentStore) -> None:
    code = int(np.argmax(plain.labels.counts))
    title = plain.labels.titles[code]
    store = hiding(path, labels=[title.upper()])
    assert store.hidden.labels == {code}
    assert store.labels.names[code] == store.labels.titles[code] == WITHHELD
    assert store.labels.counts.tolist() == plain.labels.counts.tolist()
    with_it = plain.images_of_label(code)
    assert store.hidden.n_pictures == len(with_it)
    assert all(store.image(int(image_id)).hidden for image_id in with_it)
    assert sum(store.is_hidden(image_id) for image_id in range(store.n_images)) == len(with_it)
    texts = store.latents[["name", "top_label"]].to_numpy().ravel().tolist()
    assert title in plain.latents[["name", "top_label"]].to_numpy().ravel().tolist()
    assert not {title, plain.labels.names[code]} & {text for text in texts if text}


def test_pictures_hidden_twice_are_counted_once(path: Path, plain: LatentStore) -> None:
    code = int(plain.labels.codes[0])
    n = int(plain.labels.counts[code])
    other = int(np.flatnonzero(plain.labels.codes != code)[0])
    assert hiding(path, labels=[plain.labels.names[code]], pictures=[0, other]).hidden.n_pictures == n + 1


def test_the_version_changes_with_the_list(path: Path, plain: LatentStore) -> None:
    lists = ({}, {"latents": [1]}, {"latents": [2]}, {"pictures": [1]}, {"latents": [1], "pictures": [1]})
    versions = [hiding(path, **entries).version for entries in lists]
    assert versions[0] == plain.version
    assert len(set(versions)) == len(lists)
    assert hiding(path, latents=[2, 1]).version == hiding(path, latents=[1, 2, 2]).version


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"latents": [64]}, "latent 64; this store has 0 … 63"),
        ({"pictures": [120]}, "picture 120; this store has 0 … 119"),
        ({"pictures": ["nowhere.png"]}, "picture 'nowhere.png'"),
        ({"labels": ["no such label"]}, "label 'no such label'"),
    ],
)
def test_what_the_store_does_not_have_is_refused(path: Path, entries: dict[str, object], said: str) -> None:
    with pytest.raises(HideListError, match="the hide-list names what this store does not have") as caught:
        hiding(path, **entries)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"latents": [1], "latent": [2]}',
        '{"latents": ["1"]}',
        '{"latents": [-1]}',
        '{"latents": [true]}',
        '{"latents": [1.0]}',
        '{"labels": "goldfish"}',
        '{"pictures": [null]}',
        '{"latents": [1',
    ],
)
def test_a_list_that_cannot_be_read_refuses_the_store(path: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "hide.json").write_text(text, encoding="utf-8")
    with pytest.raises(HideListError, match=r"the hide-list .*hide\.json cannot be read \(.+\), so nothing") as caught:
        LatentStore.open(path, hide=tmp_path / "hide.json")
    assert "\n" not in str(caught.value)


def test_a_list_that_is_not_there_refuses_the_store(path: Path, tmp_path: Path) -> None:
    with pytest.raises(HideListError, match="No such file"):
        LatentStore.open(path, hide=tmp_path / "hide.json")
    with pytest.raises(HideListError, match="Is a directory"):
        LatentStore.open(path, hide=tmp_path)


def test_a_file_says_what_a_list_says(path: Path, tmp_path: Path, plain: LatentStore) -> None:
    said = {"latents": [3], "labels": [plain.labels.names[0]], "pictures": [5, plain.image(6).source_key]}
    (tmp_path / "hide.json").write_text(json.dumps(said), encoding="utf-8")
    assert LatentStore.open(path, hide=tmp_path / "hide.json").hidden == hiding(path, **said).hidden
