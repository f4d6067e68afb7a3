"""The closed-form head, test-time training, and what is compared on a neighbourhood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from index_builder.analysis.label_moments import MomentSums
from sae_core import LatentStore, specialisation
from sae_core.errors import SparsightError
from sae_core.halves import half_of
from sae_core.linear_heads import Head, calibrated, global_head, log_loss
from sae_core.local_heads import N_STEPS, STEP, Judged, LocalWeights, fit_local, judge, through_decoder
from sae_core.specialisation import _verdicts, specialise
from sae_core.statistics import Z_95, mean_interval, paired_share_interval, share_interval
from sae_core.store.records import Moments
from tests.support.pictures import picture
from tests.support.stores import make_store


def moments_of(x: np.ndarray, labels: np.ndarray, n_labels: int) -> Moments:
    sums = MomentSums(x.shape[1], n_labels)
    sums.add(0, x.astype(np.float32), labels.astype(np.int32))
    return Moments(*sums.arrays().values())


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    """Three groups in five dimensions; every seventh image has no label, label 3 has no image."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    centres = rng.standard_normal((3, 5))
    x = (centres[labels] + 0.6 * rng.standard_normal((400, 5))).astype(np.float32)
    return x, np.where(np.arange(400) % 7 == 0, -1, labels)


@pytest.mark.parametrize("half", [None, 0, 1])
def test_the_head_is_linear_discriminant_analysis(blobs: tuple[np.ndarray, np.ndarray], half: int | None) -> None:
    x, labels = blobs
    head = global_head(moments_of(x, labels, 4), half, shrinkage=0.2)
    mine = np.full(len(x), True) if half is None else half_of(np.arange(len(x))) == half
    x, labels = x[mine].astype(np.float64), labels[mine]
    assert head.labels.tolist() == [0, 1, 2]
    groups = [x[labels == label] for label in (-1, 0, 1, 2)]
    within = sum((group - group.mean(0)).T @ (group - group.mean(0)) for group in groups) / len(x)
    shrunk = 0.8 * within + 0.2 * np.trace(within) / 5 * np.eye(5)
    n_labelled = (labels >= 0).sum()
    for row, label in enumerate((0, 1, 2)):
        mean = x[labels == label].mean(0)
        weights = np.linalg.inv(shrunk) @ mean
        np.testing.assert_allclose(head.weights[row], weights, rtol=1e-6)
        assert head.bias[row] == pytest.approx(-mean @ weights / 2 + np.log((labels == label).sum() / n_labelled))


def test_the_head_tells_the_groups_apart(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    x, labels = blobs
    head = global_head(moments_of(x, labels, 4), half=0)
    other = (half_of(np.arange(len(x))) == 1) & (labels >= 0)
    rows = head.rows_of(labels[other])
    assert (head.logits(x[other]).argmax(1) == rows).mean() > 0.7
    assert head.rows_of(np.array([3, 0, -1, 2])).tolist() == [-1, 0, -1, 2]


def test_one_label_is_no_head() -> None:
    with pytest.raises(SparsightError, match="two labels"):
        global_head(moments_of(np.eye(3), np.zeros(3, dtype=int), 2))


def test_the_temperature_is_the_best_one_and_moves_no_winner(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    x, labels = blobs
    head = global_head(moments_of(x, labels, 4))
    hot = Head(head.weights * 9, head.bias * 9, head.labels)
    there = labels >= 0
    cool = calibrated(hot, x[there], labels[there])
    assert (cool.logits(x).argmax(1) == head.logits(x).argmax(1)).all()
    tried = [log_loss(hot.logits(x[there]) / t, labels[there]).mean() for t in np.linspace(1, 30, 300)]
    assert log_loss(cool.logits(x[there]), labels[there]).mean() <= min(tried) + 1e-4


def test_a_local_head_takes_the_steps_of_adam() -> None:
    rng = np.random.default_rng(1)
    start = LocalWeights(rng.standard_normal((3, 4)), rng.standard_normal(3))
    x, rows = rng.standard_normal((20, 4)), rng.integers(0, 3, 20)
    before = start.weights.copy()
    found = fit_local(start, x, rows)
    assert (start.weights == before).all()

    parameters = [start.weights.copy(), start.bias.copy()]
    step = STEP * np.sqrt((before**2).mean())
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    for t in range(1, N_STEPS + 1):
        logits = x @ parameters[0].T + parameters[1]
        chances = np.exp(logits - logits.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        chances[np.arange(20), rows] -= 1
        gradients = [chances.T @ x / 20, chances.mean(0)]
        for i, gradient in enumerate(gradients):
            first[i] = 0.9 * first[i] + 0.1 * gradient
            second[i] = 0.999 * second[i] + 0.001 * gradient**2
            direction = (first[i] / (1 - 0.9**t)) / (np.sqrt(second[i] / (1 - 0.999**t)) + 1e-8)
            parameters[i] = parameters[i] - step * direction
    np.testing.assert_allclose(found.weights, parameters[0], atol=1e-9)
    np.testing.assert_allclose(found.bias, parameters[1], atol=1e-9)
    assert judge(found, x, rows).losses.mean() < judge(start, x, rows).losses.mean()


def test_the_head_through_the_decoder_is_the_head_of_the_reconstruction() -> None:
    rng = np.random.default_rng(2)
    head = Head(rng.standard_normal((3, 6)), rng.standard_normal(3), np.arange(3))
    rows, bias, codes = rng.standard_normal((5, 6)), rng.standard_normal(6), rng.standard_normal((8, 5))
    on_codes = through_decoder(head, rows, bias)
    np.testing.assert_allclose(codes @ on_codes.weights.T + on_codes.bias, head.logits(codes @ rows + bias), atol=1e-10)


def test_log_loss_by_hand() -> None:
    np.testing.assert_allclose(log_loss(np.array([[0.0, 0.0], [np.log(3), 0.0]]), np.array([1, 0])), np.log([2, 4 / 3]))


@given(st.integers(1, 60), st.data())
def test_the_interval_of_a_share_solves_wilsons_equation(n: int, data: st.DataObject) -> None:
    share = data.draw(st.integers(0, n)) / n
    low, high = share_interval(share, n)
    assert 0 <= low <= share + 1e-12 and share - 1e-12 <= high <= 1
    for bound in (low, high):  # as far from the share as 1.96 of its own standard errors
        assert (share - bound) ** 2 == pytest.approx(Z_95**2 * bound * (1 - bound) / n, abs=1e-12)


def test_no_share_is_certain() -> None:
    assert share_interval(1.0, 60) == (pytest.approx(0.9398, abs=1e-4), 1.0)


def test_heads_that_answer_alike_are_not_certainly_alike() -> None:
    right = Judged(np.ones(60), np.zeros(60))
    few = Judged((np.arange(60) >= 4).astype(float), np.zeros(60))
    _, alike, better = _verdicts({"global head": few, "the same": few, "right": right})
    assert alike.gain == 0 and alike.gain_interval[0] < -0.01 and alike.gain_interval[1] > 0.01
    assert better.gain == pytest.approx(4 / 60) and better.interval == share_interval(1.0, 60)
    assert better.gain_interval[0] < 0, "four of sixty, where chance decides of each: one time in eight"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LatentStore:
    return LatentStore.open(make_store(tmp_path_factory.mktemp("heads") / "store", 180, n_latents=96, k=6))


def test_heads_are_judged_on_the_other_half(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    read, images = list[np.ndarray](), specialisation._images
    monkeypatch.setattr(specialisation, "_images", lambda *args: (read.append(args[2]), images(*args))[1])
    found = specialise(store, store.embedding(3), 20)
    by_nearness = store.nearest_images(store.embedding(3), store.n_images).ids
    train, judged = (by_nearness[half_of(by_nearness) == half][:20] for half in (0, 1))
    assert [ids.tolist() for ids in read[:2]] == [train.tolist(), judged.tolist()]
    assert found.verdicts[0].name == "global head"
    head = global_head(store.moments, half=0)
    right = head.logits(store.embeddings(judged)).argmax(1) == store.labels.codes[judged]
    assert found.verdicts[0].accuracy == pytest.approx(right.mean())
    for verdict in found.verdicts:
        assert verdict.interval[0] <= verdict.accuracy <= verdict.interval[1]
        assert verdict.gain == pytest.approx(verdict.accuracy - found.verdicts[0].accuracy)
        assert verdict.gain_interval[0] <= verdict.gain <= verdict.gain_interval[1]


def test_a_copy_of_a_training_picture_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture is there under three names, so that of four judged pictures three had a copy that trained."""
    for number in range(90):
        label, image = picture(number)
        (folder := tmp_path / "pictures" / label).mkdir(parents=True, exist_ok=True)
        for name in "abc":
            image.save(folder / f"{number:03}{name}.png")
    store = LatentStore.open(make_store(tmp_path / "store", images=tmp_path / "pictures"))
    read, images = list[np.ndarray](), specialisation._images
    monkeypatch.setattr(specialisation, "_images", lambda *args: (read.append(args[2]), images(*args))[1])
    specialise(store, store.embedding(0), 12)
    train, judged = ({store.image(int(i)).source_key[:-5] for i in ids} for ids in read[:2])
    assert len(read[1]) >= 10 and not train & judged


def test_the_same_question_has_the_same_answer(store: LatentStore) -> None:
    first, second = (specialise(store, store.embedding(9), 15).verdicts for _ in range(2))
    assert [verdict.accuracy for verdict in first] == [verdict.accuracy for verdict in second]


def test_too_few_labelled_pictures_is_one_sentence(tmp_path: Path) -> None:
    store = LatentStore.open(make_store(tmp_path / "store", 12))
    with pytest.raises(SparsightError, match="at least 10 of each"):
        specialise(store, store.embedding(0), 50)


def test_torch_is_left_as_it_was(store: LatentStore) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    specialise(store, store.embedding(1), 12)
    assert torch.rand(1) == wanted


def test_the_interval_of_paired_shares_by_hand() -> None:
    """Of 100 pairs 20 are yes beside no, 8 no beside yes: half a pair more of each kind, so 12 / 102 of them apart."""
    ours, theirs = np.zeros(100), np.zeros(100)
    ours[:20], theirs[20:28] = 1, 1
    ours[28:50] = theirs[28:50] = 1
    error = np.sqrt(29 - 144 / 102) / 102
    low, high = paired_share_interval(ours, theirs)
    assert (low, high) == (pytest.approx(12 / 102 - 1.959964 * error), pytest.approx(12 / 102 + 1.959964 * error))
    few = np.arange(512) < 4
    low, high = paired_share_interval(few.astype(float), np.zeros(512))
    assert low < 0 < high, "four of 512 beside none"


def test_the_interval_of_a_mean_by_hand() -> None:
    """1, 2, 3, 4: mean 2.5, standard deviation 1.2910; 3.1824 is Student's quantile of three degrees of freedom."""
    low, high = mean_interval(np.array([1.0, 2.0, 3.0, 4.0]))
    assert (low, high) == (pytest.approx(2.5 - 3.18245 * 1.290994 / 2, abs=1e-4), pytest.approx(4.5543, abs=1e-3))
    assert mean_interval(np.full(5, 0.25)) == (0.25, 0.25)
