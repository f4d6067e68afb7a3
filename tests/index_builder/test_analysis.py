"""The analyses of a build, each against brute force, an independent library or a hand-worked case."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from index_builder.analysis import indexes, naming, postings
from index_builder.analysis.carried import CarriedTerms, binary_auc, binary_auc_low
from index_builder.analysis.coactivity import most_coactive
from index_builder.analysis.effects import extremes, shares
from index_builder.analysis.label_moments import MomentSums
from index_builder.analysis.moments import cosine_moments
from index_builder.analysis.name_halves import Half
from index_builder.analysis.near_misses import NearMissTable
from index_builder.analysis.positions import positions
from index_builder.analysis.profiles import histogram, label_deciles
from index_builder.analysis.recall import Recall
from index_builder.analysis.vocabulary import Vocabulary, terms_of, vocabulary_of
from index_builder.assemble import ImageRows
from index_builder.labels import titles_of, write_labels
from index_builder.train import load_embeddings
from sae_core import LatentStore
from sae_core.halves import half_of
from sae_core.naming import GOOD
from sae_core.statistics import auc, auc_error, lift, poisson_low
from sae_core.store import layout
from tests.support.stores import make_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LatentStore:
    return LatentStore.open(make_store(tmp_path_factory.mktemp("analysis") / "store", 180))


@pytest.fixture(scope="module")
def table(store: LatentStore) -> np.ndarray:
    """Activations [n_images, n_latents], 0 where not active."""
    dense = np.zeros((store.n_images, store.n_latents), dtype=np.float32)
    for image in range(store.n_images):
        code = store.code(image)
        dense[image, code.latents] = code.activations
    return dense


@pytest.fixture(scope="module")
def embeddings(store: LatentStore) -> np.ndarray:
    return np.stack([store.embedding(image) for image in range(store.n_images)]).astype(np.float64)


@settings(max_examples=50)
@given(
    seed=st.integers(0, 9_999),
    n=st.integers(1, 60),
    n_latents=st.integers(4, 30),
    chunk=st.integers(1, 20),
    held=st.integers(1, 60),
)
def test_postings_equal_a_sort_of_all_triples(seed: int, n: int, n_latents: int, chunk: int, held: int) -> None:
    """Also where only a few entries of a run may be held in memory."""
    rng = np.random.default_rng(seed)
    indices = np.stack([rng.choice(n_latents, 4, replace=False) for _ in range(n)]).astype(np.int32)
    activations = -np.sort(-rng.integers(-3, 4, (n, 4)).astype(np.float32), axis=1)  # many ties, many inactive
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        (root / "codes").mkdir()
        np.save(root / "codes/indices.npy", indices)
        np.save(root / "codes/activations.npy", activations)
        patch.setattr(postings, "_CHUNK", chunk)
        offsets = postings.write_postings(root, n_latents, memory=held * 40)
        assert sorted(path.name for path in (root / "postings").iterdir()) == [
            "activations.npy",
            "image_ids.npy",
            "offsets.npy",
        ]
        ids, values = np.load(root / "postings/image_ids.npy"), np.load(root / "postings/activations.npy")
    triples = sorted(
        (int(indices[i, j]), -float(activations[i, j]), i) for i in range(n) for j in range(4) if activations[i, j] > 0
    )
    assert ids.tolist() == [image for _, _, image in triples]
    assert values.tolist() == [-negative for _, negative, _ in triples]
    assert np.diff(offsets).tolist() == [sum(latent == t[0] for t in triples) for latent in range(n_latents)]


@settings(max_examples=80)
@given(n=st.integers(1, 60), n_labels=st.integers(1, 12), seed=st.integers(0, 9_999))
def test_deciles_partition_a_gallery_into_equal_parts(n: int, n_labels: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(-1, n_labels, n)
    top, counts = label_deciles(labels)
    parts = [labels[n * (10 - i) // 10 : n * (11 - i) // 10] for i in range(1, 11)]  # decile 1 … 10
    assert sum(map(len, parts)) == n and max(map(len, parts)) - min(map(len, parts)) <= 1
    wanted = sorted(set(labels[labels >= 0].tolist()), key=lambda code: (-int((labels == code).sum()), code))
    assert top.tolist() == wanted[: layout.N_TOP_LABELS]
    assert counts.tolist() == [[int((part == code).sum()) for part in parts] for code in top]


def test_a_histogram_counts_every_image_once() -> None:
    counts = histogram(np.array([4.0, 3.95, 2.0, 0.05, 0.01], dtype=np.float32))
    assert counts.sum() == 5 and counts[-1] == 2 and counts[20] == 1 and counts[0] == 2


def test_histograms_and_labels_of_a_store(store: LatentStore, table: np.ndarray) -> None:
    for latent in range(store.n_latents):
        strongest = table[:, latent].max()
        active = table[table[:, latent] > 0, latent]
        found = store.histogram(latent)
        assert found.counts.sum() == len(active) and found.edges[-1] == strongest
        inside = [(active > low).sum() for low in found.edges[1:-1]]
        np.testing.assert_allclose(np.cumsum(found.counts[::-1])[:-1], inside[::-1], atol=1)  # an edge is a float
        profile = store.label_profile(latent)
        labels = [record.label for record in store.images(np.flatnonzero(table[:, latent] > 0))]
        assert profile.counts.sum(1).tolist() == [labels.count(store.labels.names[code]) for code in profile.codes]


def test_co_activity_is_a_lift_over_chance(store: LatentStore, table: np.ndarray) -> None:
    active = (table > 0).astype(np.int64)
    both, sizes, n = active.T @ active, active.sum(0), len(active)
    seen, share, independent = 0, sizes / n, (sizes / n * (1 - sizes / n)).sum()
    bond = (active.sum(1).var() - independent) / independent**2
    for latent in range(store.n_latents):
        found = store.coactive(latent)
        seen += len(found.latents)
        assert found.n_both.tolist() == both[latent, found.latents].tolist()
        tied = 1 + bond * (1 - share[latent]) * (1 - share[found.latents])
        expected = sizes[latent] * sizes[found.latents] / n * tied
        np.testing.assert_allclose(found.lifts, found.n_both / expected, rtol=1e-5)
        low = stats.chi2.ppf(0.025, 2 * found.n_both) / 2 / expected
        np.testing.assert_allclose(found.lifts_low, low, rtol=1e-5)
        assert (np.diff(low) <= 1e-9).all()
        chance = stats.poisson.sf(both[latent] - 1, sizes[latent] * sizes / n)
        beyond = (both[latent] >= 3) & (chance < 0.05 / (store.n_latents - 1))
        beyond[latent] = False
        wanted = sorted(
            np.flatnonzero(beyond).tolist(),
            key=lambda other: -stats.chi2.ppf(0.025, 2 * both[latent, other]) / sizes[other],
        )
        assert set(found.latents.tolist()) == set(wanted[: layout.N_COACTIVE])
    assert seen > 0


def test_one_shared_picture_does_not_beat_many() -> None:
    """Latents 1 and 2: one image shared of one, lift 100; forty shared of fifty, lift 16: the second is surer."""
    n_both, n_active = np.array([0, 1, 40]), np.array([50, 2, 50])
    assert lift(n_both[1:], np.array(50), n_active[1:], 1_000).tolist() == [10.0, 16.0]
    assert most_coactive(n_both, 50, n_active, 1_000).tolist() == [2]


def test_independent_latents_are_not_listed() -> None:
    """500 latents of all densities, active independently: by chance hardly any pair is beyond chance."""
    rng = np.random.default_rng(0)
    n_images, sizes = 4_000, rng.integers(4, 200, 500)
    active = np.zeros((n_images, 500), dtype=np.int64)
    for latent, size in enumerate(sizes):
        active[rng.choice(n_images, size, replace=False), latent] = 1
    both = active.T @ active
    np.fill_diagonal(both, 0)
    listed = sum(len(most_coactive(both[latent], int(sizes[latent]), sizes, n_images)) for latent in range(500))
    assert listed < 0.1 * 500
    active[active[:, 0] > 0, 1] = 1  # and one real pair
    both, sizes = active.T @ active, active.sum(0)
    both[0, 0] = 0
    assert 1 in most_coactive(both[0], int(sizes[0]), sizes, n_images)


def test_the_poisson_bound_is_garwoods() -> None:
    counts = np.array([0, 1, 5, 100])
    np.testing.assert_allclose(poisson_low(counts)[1:], stats.chi2.ppf(0.025, 2 * counts[1:]) / 2)
    assert poisson_low(counts)[0] == 0
    assert float(poisson_low(np.array(5))) == pytest.approx(1.6235, abs=1e-4)  # Garwood's table


def test_near_misses_are_an_exhaustive_search_without_the_gallery(
    store: LatentStore, table: np.ndarray, embeddings: np.ndarray
) -> None:
    """FAISS: inner product with the encoder's column, active images deselected."""
    sae = store.sae()
    index = faiss.IndexFlatIP(embeddings.shape[1])
    index.add(embeddings.astype(np.float32))
    seen = 0
    for latent in range(store.n_latents):
        active = np.flatnonzero(table[:, latent] > 0)
        parameters = faiss.SearchParameters(sel=faiss.IDSelectorNot(faiss.IDSelectorBatch(active)))
        column = sae.W_enc[:, latent].numpy()[None].copy()
        products, _ = index.search(column, store.n_images, params=parameters)
        wanted = products[0][: store.n_images - len(active)] + float(sae.b_enc[latent])
        wanted = wanted[wanted > 0][: layout.N_NEAR_MISSES]
        found = store.near_misses(latent)
        np.testing.assert_allclose(found.pre_activations, wanted, atol=1e-5)
        assert set(found.image_ids.tolist()).isdisjoint(active.tolist())
        if len(wanted):
            assert found.pre_activations[0] == pytest.approx(wanted[0], abs=1e-5)
            thresholds = [store._activations[image, -1] for image in found.image_ids]
            assert found.thresholds.tolist() == thresholds
            assert (found.pre_activations <= found.thresholds + 1e-6).all()
        seen += len(found.image_ids)
    assert seen > 100


@settings(max_examples=60)
@given(seed=st.integers(0, 9_999), n=st.integers(1, 120), chunk=st.integers(1, 50))
def test_the_best_of_a_stream_are_the_best_of_all(seed: int, n: int, chunk: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(-3, 5, (n, 6)).astype(np.float32)  # many ties
    kept = np.stack([rng.choice(6, 2, replace=False) for _ in range(n)]).astype(np.int32)
    empty = rng.random(kept.shape) < 0.2  # places of a code that nothing filled
    activations = np.where(empty, 0, np.maximum(np.take_along_axis(values, kept, 1), 1)).astype(np.float32)
    table = NearMissTable(6, 4)
    for start in range(0, n, chunk):
        rows = slice(start, start + chunk)
        table.add(start, values[rows].copy(), kept[rows], activations[rows])
    for latent in range(6):
        active = [latent in kept[i][activations[i] > 0] for i in range(n)]
        left = [(-values[i, latent], i) for i in range(n) if values[i, latent] > 0 and not active[i]]
        wanted = [i for _, i in sorted(left)[:4]]
        assert table.image_ids[latent][: len(wanted)].tolist() == wanted
        assert (table.image_ids[latent][len(wanted) :] == -1).all()


def test_moments_are_the_sums_of_each_half(store: LatentStore, embeddings: np.ndarray) -> None:
    found, codes, half = store.moments, store.labels.codes, half_of(np.arange(len(embeddings)))
    for which in (0, 1):
        mine = embeddings[half == which].astype(np.float64)
        assert found.counts[which] == len(mine) > 0
        np.testing.assert_allclose(found.sums[which], mine.sum(0), atol=1e-9)
        np.testing.assert_allclose(found.products[which], sum(np.outer(x, x) for x in mine), atol=1e-9)
        for label in range(len(store.labels.names)):
            of_label = embeddings[(half == which) & (codes == label)].astype(np.float64)
            assert found.label_counts[which, label] == len(of_label)
            np.testing.assert_allclose(found.label_sums[which, label], of_label.sum(0), atol=1e-9)
    np.testing.assert_allclose(store.mean_embedding, embeddings.mean(0), atol=1e-6)


def test_images_without_a_label_are_in_no_label_s_sum() -> None:
    x = np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0, 1]]
    sums = MomentSums(4, 2)
    sums.add(0, x[:4], np.array([0, -1, 1, -1], np.int32))
    sums.add(4, x[4:], np.array([-1, 1], np.int32))
    found = {Path(name).stem: array for name, array in sums.arrays().items()}
    assert found["counts"].sum() == 6
    assert found["sums"].sum(0).tolist() == [2, 2, 1, 1]
    assert found["label_counts"].sum(0).tolist() == [1, 2]
    assert found["label_sums"].sum(0).tolist() == [[1, 0, 0, 0], [0, 1, 1, 0]]


def test_centroids_monosemanticity_and_halves(store: LatentStore, table: np.ndarray, embeddings: np.ndarray) -> None:
    mean, half = embeddings.mean(0), half_of(np.arange(len(embeddings)))
    assert 0.3 < half.mean() < 0.7
    cosines = embeddings @ embeddings.T
    figures = store.latents
    halves = []
    for latent in range(store.n_latents):
        a = table[:, latent].astype(np.float64)
        n_active = int((a > 0).sum())
        if n_active:
            away = a @ embeddings / a.sum() - mean
            np.testing.assert_allclose(store._facts.centroids[latent], away / np.linalg.norm(away), atol=1e-4)
        if n_active > 1:
            weights = np.outer(a, a)
            np.fill_diagonal(weights, 0)
            wanted = (weights * cosines).sum() / weights.sum()
            assert figures.monosemanticity[latent] == pytest.approx(wanted, abs=1e-4)
        else:
            assert np.isnan(figures.monosemanticity[latent])
        parts = [a * (half == which) for which in (0, 1)]
        if all(part.sum() > 0 for part in parts):
            first, second = (part @ embeddings / part.sum() - mean for part in parts)
            first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
            assert figures.split_half[latent] == pytest.approx(first @ second, abs=1e-4)
            halves.append((first, second))
        else:
            assert np.isnan(figures.split_half[latent])
    pairs = [a @ b for i, (a, _) in enumerate(halves) for j, (_, b) in enumerate(halves) if i != j]
    report, off_diagonal = store.manifest.report, ~np.eye(len(cosines), dtype=bool)
    assert report.split_half_baseline == pytest.approx(np.mean(pairs), abs=1e-4)
    assert report.monosemanticity_baseline == pytest.approx(cosines[off_diagonal].mean(), abs=1e-5)
    assert report.monosemanticity == pytest.approx(figures.monosemanticity.mean(), abs=1e-5)
    assert report.n_dense == int((figures.density > 0.1).sum())


def test_effects_are_standardised_over_all_latents(store: LatentStore) -> None:
    directions = store.sae().directions().numpy()
    texts = store.load_encoder().encode_texts(store.labels.titles).numpy()
    cosines = directions @ texts.T
    z = (cosines - cosines.mean(0)) / cosines.std(0)
    for latent in range(0, store.n_latents, 7):
        found = store.effects(latent)
        np.testing.assert_allclose(found.cosines, cosines[latent, found.labels], atol=1e-4)
        np.testing.assert_allclose(found.z, z[latent, found.labels], atol=1e-2)
        if z[latent].max() > 0.02:
            assert found.z[0] == pytest.approx(z[latent].max(), abs=1e-2)
        assert (np.sign(found.z) == np.sort(np.sign(found.z))[::-1]).all()  # the raised, then the lowered
        assert len(set(found.labels.tolist())) == len(found.labels)


def test_extremes_are_the_largest_then_the_smallest() -> None:
    z = np.arange(20.0)[None]
    assert extremes(z).tolist() == [[19, 18, 17, 16, 15, 14, 0, 1, 2, 3]]
    assert extremes(np.array([[1.0, 3.0, 2.0]])).tolist() == [[1, 2, 0]]
    assert extremes(np.array([[1.0]])).tolist() == [[0]]


@settings(max_examples=100)
@given(z=arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=st.integers(-2, 2)))
def test_extremes_of_equal_values_are_those_of_a_whole_sort(z: np.ndarray) -> None:
    order = np.argsort(-z, axis=1, kind="stable")
    n_raised, n_lowered = shares(z.shape[1])
    wanted = np.concatenate([order[:, :n_raised], order[:, ::-1][:, :n_lowered]], axis=1)
    assert extremes(z).tolist() == wanted.tolist()


def test_moments_are_those_of_the_table() -> None:
    rng = np.random.default_rng(0)
    vectors, terms = rng.normal(size=(50, 8)), rng.normal(size=(7, 8))
    mean, spread = cosine_moments(vectors, terms)
    np.testing.assert_allclose(mean, (vectors @ terms.T).mean(0))
    np.testing.assert_allclose(spread, (vectors @ terms.T).std(0))


@settings(max_examples=100)
@given(
    positive=st.lists(st.integers(0, 6), min_size=1, max_size=20),
    others=st.lists(st.integers(0, 6), min_size=2, max_size=30),
    n_without=st.integers(0, 5),
)
def test_auc_is_the_mann_whitney_statistic(positive: list[int], others: list[int], n_without: int) -> None:
    without = others[: min(n_without, len(others) - 1)]
    rest = others[len(without) :]
    area = auc(np.array(positive, float), np.sort(np.array(others, float)), without=np.array(without, float))
    statistic = stats.mannwhitneyu(positive, rest).statistic
    assert area == pytest.approx(statistic / (len(positive) * len(rest)))


def test_the_error_of_an_auc_is_hanley_and_mcneils() -> None:
    """Their paper's example: AUC 0.893 with 51 abnormal and 58 normal images has a standard error of 0.032."""
    assert float(auc_error(np.array(0.893), np.array(51), np.array(58))) == pytest.approx(0.032, abs=6e-4)


def test_names_are_scored_on_images_they_were_not_chosen_on(store: LatentStore, table: np.ndarray) -> None:
    """The stored score, worked out from the store alone."""
    encoder = store.load_encoder()
    half, figures = half_of(np.arange(store.n_images)), store.latents
    seen: list[str] = []
    for latent in range(store.n_latents):
        active = table[:, latent] > 0
        held_out = active & (half == 1)
        row = figures.loc[latent]
        if row["name"] is None or held_out.sum() < 3:
            assert np.isnan(row["name_score"]) and not row["name_good"]
            continue
        term = row["name"].casefold()
        if row["name_match"] == "clip":
            text = encoder.encode_texts([row["name"]]).numpy()[0]
            match = np.array([store.embedding(image) @ text for image in range(store.n_images)])
        else:
            records = store.images(range(store.n_images))
            match = np.array([term in {str(r.title).casefold(), *terms_of(r.caption or "")} for r in records], float)
        others = match[(half == 1) & ~active]
        statistic = stats.mannwhitneyu(match[held_out], others).statistic
        assert row["name_score"] == pytest.approx(statistic / (held_out.sum() * len(others)), abs=2e-3)
        good, good_low = GOOD[row["name_match"]]
        enough = held_out.sum() >= 8
        assert row["name_good"] == (row["name_score"] >= good and row["name_low"] >= good_low and enough)
        if row["name_match"] == "clip":
            error = auc_error(row["name_score"], held_out.sum(), len(others))
            assert row["name_low"] == pytest.approx(max(row["name_score"] - 1.96 * error, 0), abs=2e-3)
        assert row["name_low"] < row["name_score"] or row["name_score"] == 1
        seen.append(row["name_match"])
    assert len(seen) > 10 and set(seen) == {"text", "clip"}


def test_how_many_of_the_strongest_carry_a_name(store: LatentStore, table: np.ndarray) -> None:
    """Counted by hand over the records; by chance: in the store as a whole, which is smaller than the drawn sample."""
    said = [
        {text.casefold() for text in (record.title, *terms_of(record.caption or "")) if text}
        for record in store.images(range(store.n_images))
    ]
    known = 0
    for latent in range(store.n_latents):
        row, strongest = store.latents.loc[latent], store.gallery(latent, 0, 12).image_ids
        words = [said[image] for image in strongest if said[image]]
        if row["name"] is None or not words:
            assert np.isnan(row["name_carried"]) and np.isnan(row["name_carried_by_chance"])
            continue
        term = row["name"].casefold()
        assert row["name_carried"] == sum(term in one for one in words)
        share = sum(term in one for one in said if one) / sum(map(bool, said))
        assert row["name_carried_by_chance"] == pytest.approx(share * len(words), rel=1e-5)
        known += 1
    assert known > 10 and store.latents["name_carried"].max() > 3
    assert store.controls is not None and store.controls["name_carried"].notna().any()


@pytest.mark.parametrize(("n_labels", "warned"), [(99, False), (100, False), (101, True), (200, True)])
def test_labels_that_hardly_repeat_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, n_labels: int, warned: bool
) -> None:
    n = 99 if n_labels == 99 else 200
    columns = [[f"{i % n_labels}" if f.name == "label" else None for i in range(n)] for f in layout.IMAGE_SCHEMA]
    with pa.ipc.new_file(str(tmp_path / "images.arrow"), layout.IMAGE_SCHEMA) as writer:
        writer.write_table(pa.table(columns, schema=layout.IMAGE_SCHEMA))
    write_labels(tmp_path)
    assert (f"{n_labels} labels for {n} labelled pictures" in caplog.text) is warned


def test_which_of_several_terms_is_taken() -> None:
    terms = ["mammals", "tiger", "big cat", "moose"]
    vocabulary = Vocabulary(terms, ["label", "caption", "caption", "word"], np.zeros((4, 2), dtype=np.float32))

    assert vocabulary.general.tolist() == [False, False, False, True]
    assert vocabulary.general is vocabulary.general, "made once, not for every gallery"

    def taken(*scores: float) -> str:
        return terms[naming.prefer(vocabulary, np.arange(4), np.array(scores))]

    assert taken(0.97, 0.99, 0.99, 0.5) == "tiger"  # clearly better than the label, plainer than two words
    assert taken(0.985, 0.99, 0.5, 0.5) == "mammals"  # as good, and a label
    assert taken(0.8, 0.9, 0.9, 0.92) == "tiger"  # a general word must be clearly better
    assert taken(0.8, 0.9, 0.9, 0.97) == "moose"


def test_a_yes_or_no_test_worked_out_by_hand() -> None:
    """8 of 10 active images carry the name, 10 of 100 others."""
    assert binary_auc(np.array([0.8]), np.array([0.1])).tolist() == pytest.approx([0.85])
    p, q = 10 / 14, 12 / 104
    error = 0.5 * np.sqrt(p * (1 - p) / 14 + q * (1 - q) / 104)
    assert binary_auc_low(0.8, 0.1, 10, 100) == pytest.approx(0.5 + (p - q) / 2 - 1.959964 * error)
    assert binary_auc_low(1.0, 0.0, 4, 1_000) < 0.95  # four of four is not certainty


def test_terms_that_images_carry_are_counted(store: LatentStore) -> None:
    terms = [*store.labels.titles, "thing", "green"]
    carried = CarriedTerms(store.path, terms)
    records = store.images(range(store.n_images))
    said = [{str(r.title).casefold(), *terms_of(r.caption or "")} for r in records]
    for ids in (np.arange(store.n_images), np.array([5, 2, 9]), np.zeros(0, dtype=np.int64)):
        wanted = [sum(term.casefold() in said[image] for image in ids) for term in terms]
        assert carried.counts(ids).tolist() == wanted
    half = half_of(np.arange(store.n_images))
    members = np.flatnonzero(half == 0)[:7]
    share, others, n_others = carried.shares(0, members)
    rest = [image for image in np.flatnonzero(half == 0) if image not in members]
    assert n_others == len(rest)
    np.testing.assert_allclose(share, [np.mean([t.casefold() in said[i] for i in members]) for t in terms])
    np.testing.assert_allclose(others, [np.mean([t.casefold() in said[i] for i in rest]) for t in terms])


def test_what_names_are_judged_by_is_in_a_scratch_file_that_is_gone(store: LatentStore, tmp_path: Path) -> None:
    """Of very many labels it would be more memory than all the rest; and a killed build leaves none of it."""
    texts = np.random.default_rng(0).standard_normal((2_500, 32)).astype(np.float32)
    embeddings = np.load(store.path / layout.EMBEDDINGS)
    half = Half(tmp_path, embeddings, Vocabulary([*map(str, range(2_500))], ["word"] * 2_500, texts), 1)
    assert isinstance(half._cosines, np.memmap) and isinstance(half._sorted, np.memmap)
    assert not list(tmp_path.iterdir())
    sample = embeddings[half_of(np.arange(store.n_images)) == 1]
    np.testing.assert_allclose(half._cosines, texts @ sample.T, atol=1e-5)
    np.testing.assert_allclose(half._sorted, np.sort(texts @ sample.T, axis=1), atol=1e-5)


def test_terms_are_words_pairs_and_the_whole() -> None:
    assert terms_of("A slice of ripe lemon") == {"slice", "ripe", "lemon", "ripe lemon", "a slice of ripe lemon"}
    assert terms_of("of the") == set()
    assert terms_of("") == set()


def test_a_term_is_taken_once_and_from_the_first_source(store: LatentStore) -> None:
    def embed(texts: Sequence[str]) -> np.ndarray:
        return np.ones((len(texts), 32), dtype=np.float32)

    vocabulary = vocabulary_of(store.path, embed)
    folded = [term.casefold() for term in vocabulary.terms]
    assert len(set(folded)) == len(folded) == len(vocabulary.sources) == len(vocabulary.embeddings)
    titles = store.labels.titles
    assert vocabulary.sources[: len(titles)] == ["label"] * len(titles) and set(vocabulary.sources) == {
        "label",
        "caption",
        "word",
    }


def test_labels_written_with_an_underscore_can_be_names(store: LatentStore, tmp_path: Path) -> None:
    """As in Food-101: `apple_pie` is carried, counted and read as `apple pie`."""
    n = 40
    labels = ["apple_pie" if number % 4 == 0 else "hot_dog" for number in range(n)]
    columns = [list(map(str, range(n))), labels, [None] * n, [None] * n, [1] * n, [1] * n, ["0"] * n]
    rows = ImageRows(tmp_path)
    rows.add(pa.table(columns, schema=layout.IMAGE_SCHEMA))
    rows.close()
    write_labels(tmp_path)
    vocabulary = vocabulary_of(tmp_path, lambda texts: np.ones((len(texts), 4), dtype=np.float32))
    assert vocabulary.carried == ["apple pie", "hot dog"]
    carried = CarriedTerms(tmp_path, vocabulary.carried)
    assert carried.counts(np.arange(n)).tolist() == [10, 30]
    pies = np.flatnonzero([label == "apple_pie" for label in labels])
    name = naming._carried_name(carried, vocabulary, pies)
    assert name is not None and (name.text, name.score) == ("apple pie", 1.0)
    assert naming._carried_name(carried, vocabulary, np.arange(n)) is None  # active everywhere: nothing to tell apart


def test_titles_of_imagenet_labels_are_words_that_tell_them_apart() -> None:
    assert titles_of(["n01443537", "dogs", "n99999999"]) == ["goldfish", "dogs", "n99999999"]
    assert titles_of(["n02012849", "n03126707"]) == ["crane (n02012849)", "crane (n03126707)"]  # the bird, the machine
    assert titles_of(["n01443537", "goldfish"]) == ["goldfish, Carassius auratus", "goldfish"]


def test_the_map_is_the_same_again_and_keeps_neighbours_together() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 32))
    group = np.repeat(np.arange(4), 40)
    directions = centres[group] + 0.2 * rng.normal(size=(160, 32))
    directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
    places = positions(directions)
    assert places.shape == (160, 2) and np.isfinite(places).all()
    np.testing.assert_array_equal(places, positions(directions))
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (group[apart.argmin(1)] == group).mean() > 0.95
    few = positions(directions[:3])
    assert few.shape == (3, 2) and np.isfinite(few).all()
    assert positions(directions[:1]).shape == (1, 2)


def test_short_codes_find_what_an_exhaustive_search_finds(
    store: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "_FLAT_UP_TO", 100)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 32))
    x = centres[rng.integers(0, 40, 4_000)] + 0.7 * rng.normal(size=(4_000, 32))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    np.save(tmp_path / layout.EMBEDDINGS, x)
    recall = indexes.write_image_index(tmp_path)
    first = (tmp_path / layout.IMAGE_INDEX).read_bytes()
    indexes.write_image_index(tmp_path)
    assert (tmp_path / layout.IMAGE_INDEX).read_bytes() == first
    from sae_core.store import search

    index = faiss.read_index(str(tmp_path / layout.IMAGE_INDEX))
    hits, rows = 0, range(0, 4_000, 100)
    of_each = search.refined_of_each(index, x, x[rows], 10)
    for row, at_once in zip(rows, of_each, strict=True):
        found = search.nearest_refined(index, x, x[row], 10)
        assert at_once.ids.tolist() == found.ids.tolist()
        similarities = x @ x[row]
        np.testing.assert_allclose(found.similarities, similarities[found.ids], atol=1e-6)
        assert found.ids[0] == row and (np.diff(found.similarities) <= 1e-6).all()
        hits += len(set(found.ids.tolist()) & set(np.argsort(-similarities)[:10].tolist()))
    assert hits >= 0.98 * 400
    assert not search.is_exact(index)
    assert abs(recall - hits / 400) < 0.02


@pytest.fixture
def clustered(tmp_path: Path) -> np.ndarray:
    """6,000 embeddings around 40 centres, written where a store has them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 32))[rng.integers(0, 40, 6_000)] + 0.7 * rng.normal(size=(6_000, 32))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    np.save(tmp_path / layout.EMBEDDINGS, x)
    return x


def test_of_inverted_lists_as_few_are_searched_as_find_enough(
    clustered: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "_FLAT_UP_TO", 100)
    monkeypatch.setattr(indexes, "_SCANNED_UP_TO", 5_999)
    recall = indexes.write_image_index(tmp_path)
    first = (tmp_path / layout.IMAGE_INDEX).read_bytes()
    assert indexes.write_image_index(tmp_path) == recall >= 0.95
    assert (tmp_path / layout.IMAGE_INDEX).read_bytes() == first
    index = faiss.read_index(str(tmp_path / layout.IMAGE_INDEX))
    assert isinstance(index, faiss.IndexIVFPQFastScan) and index.nlist == 64, "the power of two nearest to 77"
    assert 1 < index.nprobe < index.nlist, "the file keeps how many"
    assert Recall(clustered).of(index) == pytest.approx(recall)
    index.nprobe -= 1
    assert Recall(clustered).of(index) < 0.95


@pytest.mark.parametrize(
    ("limits", "kind"), [((6_000, 7_000), "exact"), ((5_999, 6_000), "scanned"), ((0, 5_999), "listed")]
)
def test_the_index_is_chosen_by_the_number_of_images(
    clustered: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], kind: str
) -> None:
    kinds = {"exact": faiss.IndexFlatIP, "scanned": faiss.IndexPQFastScan, "listed": faiss.IndexIVFPQFastScan}
    for name, limit in zip(("_FLAT_UP_TO", "_SCANNED_UP_TO"), limits, strict=True):
        monkeypatch.setattr(indexes, name, limit)
    recall = indexes.write_image_index(tmp_path)
    index = faiss.read_index(str(tmp_path / layout.IMAGE_INDEX))
    assert type(index) is kinds[kind] and index.ntotal == len(clustered)
    assert recall == 1.0 if kind == "exact" else 0.95 <= recall <= 1


@pytest.mark.skipif(faiss.get_num_gpus() == 0, reason="needs a GPU")
def test_lists_clustered_on_a_gpu_find_as_much(clustered: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    _, recall = indexes.listed(clustered)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 0)
    _, on_cpu = indexes.listed(clustered)
    assert min(recall, on_cpu) >= 0.95


def test_where_faiss_sees_a_gpu_the_lists_are_clustered_there(
    clustered: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index of the CPU stands in for the GPU's: it is asked, outlives its maker, and leaves the same lists."""
    on_cpu, recall = indexes.listed(clustered)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss, "index_cpu_to_all_gpus", faiss.clone_index)
    on_gpu, there = indexes.listed(clustered)
    gc.collect()
    assert on_cpu.clustering_index is None
    assert on_gpu.clustering_index.ntotal == on_gpu.nlist, "the last centroids were added to it"
    assert there == recall
    for name, index in (("cpu", on_cpu), ("gpu", on_gpu)):
        faiss.write_index(index, str(tmp_path / name))
    assert (tmp_path / "gpu").read_bytes() == (tmp_path / "cpu").read_bytes()


def test_recall_is_counted_against_an_exhaustive_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes of one bit for 16 dimensions, and as few candidates as are asked for: most of the nearest are missed."""
    from sae_core.store import search

    monkeypatch.setattr(search, "_MIN_CANDIDATES", 10)
    monkeypatch.setattr(search, "_CANDIDATES", 1)
    x = np.random.default_rng(0).normal(size=(2_000, 32)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    poor, exact = faiss.IndexPQ(32, 2, 4, faiss.METRIC_INNER_PRODUCT), faiss.IndexFlatIP(32)
    for index in (poor, exact):
        index.train(x)
        index.add(x)
    rows = np.unique(np.linspace(0, 1_999, 256).astype(np.int64))
    truth = np.argsort(-(x[rows] @ x.T), axis=1)[:, :10]
    found = [set(search.nearest_refined(poor, x, x[row], 10).ids.tolist()) for row in rows]
    wanted = np.mean([len(ids & set(best.tolist())) / 10 for ids, best in zip(found, truth, strict=True)])
    assert Recall(x).of(poor) == pytest.approx(wanted) and wanted < 0.5
    assert Recall(x).of(exact) == 1.0


def test_an_sae_is_trained_on_the_embeddings_themselves(store: LatentStore) -> None:
    """Not on what an index of short codes would give back."""
    embeddings = load_embeddings(store.path)
    np.testing.assert_array_equal(embeddings.numpy(), [store.embedding(image) for image in range(store.n_images)])
