"""The controls, each figure worked out from directions and pictures alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from index_builder.analysis import controls, random_dictionary, random_directions, strongest
from index_builder.analysis.random_dictionary import picture_fvu, random_fvu
from index_builder.analysis.vocabulary import terms_of
from index_builder.build import build
from index_builder.config import BuildConfig
from index_builder.verify import defects_of
from sae_core import LatentStore
from sae_core.halves import half_of
from sae_core.naming import GOOD
from sae_core.store import layout
from sae_core.store.hidden import HideList
from tests.support.pictures import make_tar
from tests.support.stores import make_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LatentStore:
    return LatentStore.open(make_store(tmp_path_factory.mktemp("random") / "store", 180, k=8))


@pytest.fixture(scope="module")
def x(store: LatentStore) -> np.ndarray:
    return np.asarray(store.embeddings(np.arange(store.n_images)), dtype=np.float64)


@pytest.fixture(scope="module")
def found(store: LatentStore) -> pd.DataFrame:
    assert store.controls is not None
    return store.controls


@pytest.fixture(scope="module")
def directions(store: LatentStore, x: np.ndarray, found: pd.DataFrame) -> np.ndarray:
    """Unit, a row for each of `found`: the seeded ones of both random kinds, and the latents' own."""
    n = len(found) // 3
    rows = np.unique(np.linspace(0, len(x) - 1, 4_096).astype(int))
    varied = np.random.default_rng(1).standard_normal((n, len(rows))) @ (x[rows] - x.mean(0))
    anywhere = np.random.default_rng(3).standard_normal((n, x.shape[1]))
    own = store.sae().directions().numpy()[found["like_latent"][:n]]
    every = np.concatenate([varied, anywhere, own]).astype(np.float64)
    return np.asarray(every / np.linalg.norm(every, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def projections(x: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Every picture's place along every direction `[m, n_images]`, from the mean."""
    return np.asarray(directions @ (x - x.mean(0)).T)


@pytest.fixture(scope="module")
def codes(store: LatentStore) -> np.ndarray:
    """Dense `[n_images, n_latents]`."""
    latents, values = (np.load(store.path / "codes" / f"{name}.npy") for name in ("indices", "activations"))
    dense = np.zeros((store.n_images, store.n_latents))
    np.put_along_axis(dense, latents.astype(int), np.maximum(values, 0), axis=1)
    return dense


@pytest.fixture(scope="module")
def activations(projections: np.ndarray, found: pd.DataFrame, codes: np.ndarray) -> np.ndarray:
    """The latent's own, its strongest in the picture that is farthest along the direction, and so on."""
    values = np.zeros_like(projections)
    for row, along, like, n in zip(values, projections, found["like_latent"], found["n_active"], strict=True):
        row[np.argsort(-along)[:n]] = np.sort(codes[:, like])[::-1][:n]
    return values


def test_each_is_active_as_often_as_a_latent(store: LatentStore, found: pd.DataFrame, projections: np.ndarray) -> None:
    """Where there are as many pictures on its side of the mean."""
    alive = store.latents["n_active"]
    like = np.flatnonzero((alive > 0) & (alive <= 90)).tolist()
    assert found["like_latent"].tolist() == 3 * like
    assert found["kind"].tolist() == [kind for kind in layout.CONTROL_KINDS for _ in like]
    wanted = np.minimum(alive[found["like_latent"]], (projections > 0).sum(1))
    assert found["n_active"].tolist() == wanted.tolist()
    assert (found["n_active"].to_numpy() == alive[found["like_latent"]].to_numpy()).mean() > 0.5


def test_its_pictures_lie_farthest_along_it(found: pd.DataFrame, activations: np.ndarray) -> None:
    for row, values in zip(found.itertuples(), activations, strict=True):
        n = min(row.n_active, layout.N_CONTROL_TOP)
        assert row.top_images.tolist() == np.argsort(-values)[:n].tolist()


def test_monosemanticity_and_halves(x: np.ndarray, found: pd.DataFrame, activations: np.ndarray) -> None:
    cosines, half, known = x @ x.T, half_of(np.arange(len(x))), 0
    for row, a in zip(found.itertuples(), activations, strict=True):
        weights = np.outer(a, a)
        np.fill_diagonal(weights, 0)
        if row.n_active > 1:
            assert row.monosemanticity == pytest.approx((weights * cosines).sum() / weights.sum(), abs=1e-4)
        else:
            assert np.isnan(row.monosemanticity)
        parts = [a * (half == which) for which in (0, 1)]
        if not all(part.any() for part in parts):
            assert np.isnan(row.split_half)
            continue
        first, second = (part @ x / part.sum() - x.mean(0) for part in parts)
        cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
        assert row.split_half == pytest.approx(cosine, abs=1e-4)
        known += 1
    assert known > 10


def test_labels_and_names(store: LatentStore, x: np.ndarray, found: pd.DataFrame, activations: np.ndarray) -> None:
    """The purest label by counting, and each name's held-out AUC by another library."""
    records, encoder = store.images(range(store.n_images)), store.load_encoder()
    titles, half = [record.title for record in records], half_of(np.arange(store.n_images))
    seen = []
    for row, a in zip(found.itertuples(), activations, strict=True):
        active = a > 0
        counts = pd.Series(np.array(titles, dtype=object)[active]).value_counts()
        if len(counts):
            assert row.label_purity == pytest.approx(counts.max() / counts.sum())
            assert counts[row.top_label] == counts.max()
        held_out = active & (half == 1)
        if row.name is None or held_out.sum() < 3:
            assert np.isnan(row.name_score) and not row.name_good
            continue
        term = row.name.casefold()
        if row.name_match == "clip":
            match = x @ encoder.encode_texts([row.name]).numpy()[0]
        else:
            match = np.array([term in {str(r.title).casefold(), *terms_of(r.caption or "")} for r in records], float)
        others = match[(half == 1) & ~active]
        area = stats.mannwhitneyu(match[held_out], others).statistic / (held_out.sum() * len(others))
        assert row.name_score == pytest.approx(area, abs=2e-3)
        good, low = GOOD[row.name_match]
        assert row.name_good == (row.name_score >= good and row.name_low >= low and held_out.sum() >= 8)
        seen.append(row.name_match)
    assert len(seen) > 10 and set(seen) <= {"text", "clip"}


def test_effects_on_labels_are_on_the_latents_scale(
    store: LatentStore, directions: np.ndarray, found: pd.DataFrame
) -> None:
    texts = store.load_encoder().encode_texts(store.labels.titles).numpy()
    latents = store.sae().directions().numpy() @ texts.T
    z = (directions @ texts.T - latents.mean(0)) / latents.std(0)
    np.testing.assert_allclose(found["effect_z"], z.max(1), atol=1e-2)
    own = found[found["kind"] == "latent"]
    own = own[own["effect_z"] > 0.01]  # a latent that raises no label has none in its list
    raised = [store.effects(latent).z[0] for latent in own["like_latent"]]
    assert len(own) > 5
    np.testing.assert_allclose(own["effect_z"], raised, atol=1e-3)


def test_directions_have_the_covariance_of_the_pictures() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((400, 3)) * [3, 1, 0.2] + [5, 0, 0]
    drawn = random_directions.covariant(x, x.mean(0), 40_000)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1)
    wanted = np.linalg.cholesky(np.cov(x.T)) @ rng.standard_normal((3, 40_000))
    wanted /= np.linalg.norm(wanted, axis=0)
    np.testing.assert_allclose(drawn.T @ drawn / 40_000, wanted @ wanted.T / 40_000, atol=0.01)


def test_isotropic_directions_point_anywhere() -> None:
    drawn = random_directions.isotropic(3, 40_000)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1)
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.01)
    np.testing.assert_allclose(drawn.T @ drawn / 40_000, np.eye(3) / 3, atol=0.01)


@settings(max_examples=60)
@given(seed=st.integers(0, 9_999), n=st.integers(1, 50), chunk=st.integers(1, 20))
def test_the_strongest_of_a_stream_are_those_of_a_sort(seed: int, n: int, chunk: int) -> None:
    """Small whole numbers, so that many are equal: of those the first comes first."""
    rng = np.random.default_rng(seed)
    x, directions = rng.integers(-3, 4, (n, 2)).astype(np.float32), rng.integers(-2, 3, (5, 2)).astype(np.float64)
    wanted, mean = rng.integers(1, n + 1, 5), np.zeros(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strongest, "_CHUNK", chunk)
        found = strongest.strongest(x, directions, mean, wanted)
    for ids, direction, most in zip(found, directions, wanted, strict=True):
        every = x @ direction
        assert ids.tolist() == [image for image in np.argsort(-every, kind="stable") if every[image] > 0][:most]


def test_latents_of_most_pictures_and_dead_ones_are_not_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    assert controls.matched(np.array([0, 1, 50, 51, 7]), 100).tolist() == [1, 2, 4]
    assert controls.matched(np.array([0, 0]), 100).tolist() == []
    monkeypatch.setattr(controls, "_N", 20)
    assert len(controls.matched(np.full(500, 3), 100)) == 20
    monkeypatch.setattr(controls, "_N_ENTRIES", 31)
    assert len(controls.matched(np.full(500, 3), 100)) == 10
    assert len(controls.matched(np.full(500, 40), 100)) == 1  # one at least


def test_a_dictionary_of_random_directions_is_pursued(x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orthogonal matching pursuit, each step fitted by another routine."""
    away, known, n, k = (x - x.mean(0))[1::2], x[::2], 24, 5
    directions, error = random_directions.covariant(known, known.mean(0), n, seed=2), 0.0
    for row in away:
        left, kept = row, []
        for _ in range(k):
            products = directions @ left
            if products.max() > 0:
                kept.append(directions[products.argmax()])
                left = row - np.linalg.lstsq(np.array(kept).T, row, rcond=None)[0] @ np.array(kept)
        error += float(np.square(left).sum())
    monkeypatch.setattr(random_dictionary, "_CELLS", 2_000)  # some pictures at a time
    assert random_fvu(x.astype(np.float32), x.mean(0), n, k) == pytest.approx(error / np.square(away).sum(), rel=1e-3)


def test_random_directions_do_not_know_the_few_pictures_that_they_are_judged_on() -> None:
    """Directions made of fewer pictures than are kept at once leave nothing of these, which is no feat of theirs."""
    x = np.random.default_rng(0).standard_normal((300, 40)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = [random_fvu(x[:n], x[:n].mean(0, dtype=np.float64), 64, 16) for n in (2, 3, 8, 30, 300)]
    assert found[0] == 1 and found == sorted(found, reverse=True) and found[2] > 0.8 and found[4] < 0.4


def test_a_dictionary_of_pictures_is_judged_on_others() -> None:
    """300 pictures, a half of which are near copies of the others: whoever holds a copy loses next to nothing."""
    rng = np.random.default_rng(0)
    x = np.tile(rng.standard_normal((150, 12)), (2, 1)).astype(np.float32)
    mean = x.mean(0, dtype=np.float64)
    drawn = np.sort(np.random.default_rng(4).choice(300, 200, replace=False))
    others = np.setdiff1d(np.arange(300), drawn)
    away = x - mean
    twins = np.isin(others % 150, drawn % 150)
    left = 0.0
    for row in away[others[~twins]]:
        along = (away[drawn] / np.linalg.norm(away[drawn], axis=1, keepdims=True)) @ row
        left += row @ row - along.max() ** 2
    assert 0 < twins.sum() < len(others)
    assert picture_fvu(x, mean, 200, 1) == pytest.approx(left / np.square(away[others]).sum(), rel=1e-3)
    assert np.isnan(picture_fvu(x, mean, 301, 1)) and np.isnan(picture_fvu(x, mean, 237, 1))  # 63 are left
    assert picture_fvu(x, mean, 236, 1) < 1


def test_a_dictionary_where_nothing_varies_or_everything_is_kept(x: np.ndarray) -> None:
    one = np.repeat(x[:1], 9, axis=0).astype(np.float32)
    assert np.isnan(random_fvu(one, one.mean(0, dtype=np.float64), 8, 2))
    assert 0 <= random_fvu(x.astype(np.float32), x.mean(0), 3, 16) < 1  # fewer directions than are kept


def test_a_store_of_one_picture_has_no_controls(store: LatentStore, tmp_path: Path) -> None:
    inputs, one = store.path.with_name(store.path.name + ".inputs"), str(make_tar(tmp_path / "one.tar", 1))
    models = {"encoder": store.manifest.encoder.ref, "sae": str(inputs / "sae")}
    build(BuildConfig(images=(one,), out=tmp_path / "store", device="cpu", workers=0, **models))
    found = LatentStore.open(tmp_path / "store")
    assert found.controls is not None and len(found.controls) == 0
    assert found.manifest.report.random_fvu is None
    assert defects_of(found.path) == []


def test_a_store_from_before_it_opens_without(store: LatentStore, tmp_path: Path) -> None:
    (older := tmp_path / "store").symlink_to(store.path, target_is_directory=True)
    manifest = json.loads((older / "manifest.json").read_text())
    del manifest["files"][layout.CONTROLS], manifest["report"]["random_fvu"]
    before = LatentStore(store.path, store.manifest.model_validate(manifest), None, None)
    assert before.controls is None and before.manifest.report.random_fvu is None


def test_what_is_hidden_is_not_named_nor_matched(store: LatentStore, found: pd.DataFrame) -> None:
    said = next(label for label in found["top_label"] if label)
    latent = int(found["like_latent"][0])
    hidden = LatentStore.open(store.path, hide=HideList(labels=(said,), latents=(latent,))).controls
    assert hidden is not None and latent not in set(hidden["like_latent"])
    assert len(hidden) == len(found) - 3
    assert said not in set(hidden["top_label"]) and said not in set(hidden["name"])
