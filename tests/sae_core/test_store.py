"""The reader: galleries by rank, codes, neighbours, thumbnails, and what does not exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core import LatentStore
from sae_core.errors import SparsightError
from sae_core.pictures import open_picture
from sae_core.sae.topk import SparseCodes
from sae_core.store import image_reads, rows, search
from sae_core.store.search import strongest_first
from tests.support.stores import make_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LatentStore:
    return LatentStore.open(make_store(tmp_path_factory.mktemp("reader") / "store", 60))


@settings(max_examples=80)
@given(start=st.integers(-5, 80), length=st.integers(-5, 80))
def test_a_slice_of_a_gallery_is_a_slice_of_the_whole(store: LatentStore, start: int, length: int) -> None:
    latent = int(store.latents.n_active.idxmax())
    whole, part = store.gallery(latent), store.gallery(latent, start, start + length)
    wanted = slice(max(start, 0), max(start + length, 0))
    assert part.image_ids.tolist() == whole.image_ids[wanted].tolist()
    assert part.activations.tolist() == whole.activations[wanted].tolist()


def test_a_dead_latent_has_an_empty_gallery(store: LatentStore) -> None:
    dead = int(np.flatnonzero(store.latents.n_active == 0)[0])
    assert store.gallery_size(dead) == 0
    assert len(store.gallery(dead).image_ids) == 0
    assert store.latents.name[dead] is None


def test_figures_of_latents_are_those_of_their_galleries(store: LatentStore) -> None:
    for latent, row in store.latents.iterrows():
        values = store.gallery(int(str(latent))).activations
        assert row.n_active == len(values)
        assert row.density == len(values) / 60
        if len(values):
            np.testing.assert_allclose(
                [row.max_activation, row.mean_activation, row.median_activation],
                [values.max(), values.mean(), np.median(values)],
                rtol=1e-5,
            )
            labels = [record.label for record in store.images(store.gallery(int(str(latent))).image_ids)]
            assert row.label_purity == pytest.approx(labels.count(row.top_label) / len(labels))
            assert labels.count(row.top_label) == max(map(labels.count, labels))


def test_images_come_in_the_order_asked_for(store: LatentStore) -> None:
    assert [record.image_id for record in store.images([50, 3, 3, 59])] == [50, 3, 3, 59]
    record = store.image(4)
    assert (record.label, record.caption, record.width, record.height) == (
        "green things",
        "a green thing, number 4",
        48,
        40,
    )


def test_the_label_column_agrees_with_the_rows(store: LatentStore) -> None:
    labels = store.labels
    assert [labels.names[code] for code in labels.codes] == [record.label for record in store.images(range(60))]


def test_nearest_images_are_those_of_a_matrix_product(store: LatentStore) -> None:
    x = np.stack([store.embedding(image_id) for image_id in range(60)])
    found = store.nearest_images(x[7], 10)
    similarity = x @ x[7]
    np.testing.assert_allclose(found.similarities, np.sort(similarity)[::-1][:10], atol=1e-5)
    assert found.ids[0] == 7
    assert len(store.nearest_images(x[7], 500).ids) == 60


def test_few_rows_are_asked_for_before_they_are_read(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[int, int]] = []
    original = rows.rows_of

    def noted(array: np.ndarray, numbers: np.ndarray, n_all: int = 0) -> np.ndarray:
        read.append((len(numbers), n_all))
        return original(array, numbers, n_all)

    for module in (image_reads, search):
        monkeypatch.setattr(module, "rows_of", noted)
    np.testing.assert_array_equal(store.embeddings([3, 3, 7]), store._embeddings[[3, 3, 7]])
    np.testing.assert_array_equal(store.embedding(3), store._embeddings[3])
    monkeypatch.setattr(search, "is_exact", lambda index: False)
    store.nearest_images_of_each(store._embeddings[[3, 4]], 2)
    assert read == [(3, 0), (1, 0), (60, 120), (60, 120)], "of two searches in a small store all, twice"


def test_nearest_images_of_several_are_those_of_each(store: LatentStore) -> None:
    asked = store.embeddings([7, 0, 59])
    for embedding, found in zip(asked, store.nearest_images_of_each(asked, 10), strict=True):
        alone = store.nearest_images(embedding, 10)
        assert found.ids.tolist() == alone.ids.tolist()
        np.testing.assert_allclose(found.similarities, alone.similarities, atol=1e-6)
    with pytest.raises(SparsightError, match=r"one of shape \(3,\)"):
        store.nearest_images(np.zeros(3, dtype=np.float32), 10)


def test_similar_latents_leave_the_latent_itself_out(store: LatentStore) -> None:
    directions = store.sae().directions().numpy()
    found = store.similar_latents(5, 6)
    similarity = np.delete(directions @ directions[5], 5)
    assert 5 not in found.ids and len(found.ids) == 6
    np.testing.assert_allclose(found.similarities, np.sort(similarity)[::-1][:6], atol=1e-5)


def test_thumbnails_are_pictures(store: LatentStore) -> None:
    thumbnail = store.thumbnail(59)
    assert thumbnail is not None and thumbnail.media_type == "image/jpeg"
    assert open_picture(thumbnail.data).rgb.size == (48, 40)


@pytest.mark.parametrize("wrong", [-1, 60, 10**9])
def test_what_does_not_exist_is_an_index_error(store: LatentStore, wrong: int) -> None:
    for ask in (store.code, store.image, store.embedding, store.thumbnail):
        with pytest.raises(IndexError, match="0 … 59"):
            ask(wrong)
    for ask_latent in (store.gallery, store.gallery_size, lambda latent: store.similar_latents(latent, 3)):
        with pytest.raises(IndexError, match="there is no latent"):
            ask_latent(wrong + 4 if wrong > 0 else wrong)


def test_the_version_is_of_the_content(store: LatentStore) -> None:
    assert len(store.version) == 12
    assert LatentStore.open(store.path).version == store.version


def test_a_large_store_is_not_read_when_opened(store: LatentStore) -> None:
    assert isinstance(store._posting_ids, np.memmap) and isinstance(store._indices, np.memmap)
    assert "latents" not in LatentStore.open(Path(store.path)).__dict__


@settings(max_examples=150)
@given(
    all_of=st.lists(st.integers(0, 63), max_size=3),
    any_of=st.lists(st.integers(0, 63), max_size=3),
    none_of=st.lists(st.integers(0, 63), max_size=3),
)
def test_boolean_queries_are_set_operations(
    store: LatentStore, all_of: list[int], any_of: list[int], none_of: list[int]
) -> None:
    if not all_of and not any_of:
        with pytest.raises(SparsightError, match="needs a latent that is active"):
            store.images_where(all_of, any_of, none_of)
        return
    wanted = []
    for image in range(store.n_images):
        code = dict(zip(*(part.tolist() for part in store.code(image)), strict=True))
        ours = [code.get(latent, 0.0) for latent in all_of]
        one = [code.get(latent, 0.0) for latent in any_of]
        if all(ours) and (any(one) or not any_of) and not any(latent in code for latent in none_of):
            wanted.append((-(min(ours) if all_of else max(one)), image))
    found = store.images_where(all_of, any_of, none_of)
    assert found.image_ids.tolist() == [image for _, image in sorted(wanted)]
    np.testing.assert_allclose(found.strengths, [-strength for strength, _ in sorted(wanted)], rtol=1e-6)


def test_random_members_are_a_sample_without_replacement(store: LatentStore) -> None:
    latent = int(store.latents.n_active.idxmax())
    whole = store.gallery(latent)
    activation = dict(zip(whole.image_ids.tolist(), whole.activations.tolist(), strict=True))
    draws = [store.random_members(latent, 5, seed) for seed in range(300)]
    for draw in draws:
        assert len(set(draw.image_ids.tolist())) == 5
        assert [activation[image] for image in draw.image_ids.tolist()] == draw.activations.tolist()
        assert (np.diff(draw.activations) <= 0).all()
    assert store.random_members(latent, 5, 3).image_ids.tolist() == draws[3].image_ids.tolist()
    assert {image for draw in draws for image in draw.image_ids.tolist()} == set(activation)
    assert store.random_members(latent, 10**6, 0).image_ids.tolist() == whole.image_ids.tolist()


def test_pre_activations_and_text_scores(store: LatentStore) -> None:
    x, sae = store.embedding(3), store.sae()
    with torch.no_grad():
        wanted = sae.pre_activations(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(store.pre_activations(x), wanted, atol=1e-5)
    np.testing.assert_allclose(store.text_scores(x, "directions"), sae.directions().numpy() @ x, atol=1e-5)
    scores = store.text_scores(x)
    dead = (store.latents.n_active == 0).to_numpy()
    assert np.isnan(scores[dead]).all() and np.isfinite(scores[~dead]).all() and dead.any()
    with pytest.raises(SparsightError, match="an embedding of 32 numbers"):
        store.text_scores(np.zeros(31, dtype=np.float32))


@pytest.mark.parametrize("decile", [0, 11])
def test_there_are_ten_deciles(store: LatentStore, decile: int) -> None:
    with pytest.raises(IndexError, match="1 … 10"):
        store.decile_range(0, decile)


@settings(max_examples=100)
@given(st.lists(st.floats(2.0**-100, 2.0**100, width=32) | st.sampled_from([1.0, 2.0]), max_size=60))
def test_strongest_first_is_a_stable_sort(values: list[float]) -> None:
    strengths = np.array(values, dtype=np.float32)
    assert strongest_first(strengths).tolist() == np.argsort(-strengths, kind="stable").tolist()


def test_the_code_of_an_embedding_is_the_one_that_is_stored(store: LatentStore) -> None:
    ids = [7, 3, 3, 59]
    indices, activations = store.codes(ids)
    vectors = store.embeddings(ids)
    for row, image_id in enumerate(ids):
        assert (vectors[row] == store.embedding(image_id)).all()
        kept = store.encode(vectors[row])
        assert kept.latents.tolist() == indices[row].tolist()
        np.testing.assert_allclose(kept.activations, activations[row], atol=1e-5)
        active = activations[row] > 0
        assert store.code(image_id).latents.tolist() == indices[row][active].tolist()
    with torch.no_grad():
        codes = SparseCodes(torch.from_numpy(indices), torch.from_numpy(activations))
        wanted = store.sae().decode(codes).numpy()
    rebuilt = (store.decoder_rows[indices] * activations[:, :, None]).sum(1) + store.decoder_bias
    np.testing.assert_allclose(rebuilt, wanted, atol=1e-5)
    np.testing.assert_allclose(store.directions, store.sae().directions().numpy(), atol=1e-6)


def test_images_of_a_label_are_those_that_say_so(store: LatentStore) -> None:
    for code, name in enumerate(store.labels.names):
        wanted = [i for i in range(store.n_images) if store.image(i).label == name]
        assert store.images_of_label(code).tolist() == wanted
    with pytest.raises(IndexError, match="no label"):
        store.images_of_label(len(store.labels.names))


@pytest.mark.parametrize("wrong", [[0, -1], [60], [5, 10**9]])
def test_rows_that_do_not_exist_are_index_errors(store: LatentStore, wrong: list[int]) -> None:
    for read in (store.codes, store.embeddings):
        with pytest.raises(IndexError, match="there is no image"):
            read(wrong)
    assert store.embeddings([]).shape == (0, store.manifest.d_embed)
    assert store.codes([])[0].shape == (0, store.k)
