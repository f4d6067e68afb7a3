"""Fidelity by hand and against plain NumPy over the whole data set at once."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.metrics import FidelityMeter, fidelity, random_pair_cosine


def test_worked_out_by_hand() -> None:
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])  # mean (.5, .5): variance sum 4 * .25 = 1
    x_hat = torch.tensor([[1.0, 1.0], [0.0, 2.0]])  # squared errors 1 and 1
    found = fidelity(x, x_hat, torch.tensor([[0.5, -0.1], [0.2, 0.1]]))
    assert math.isclose(found.fvu, 2.0)
    assert math.isclose(found.cosine, (1 / math.sqrt(2) + 1) / 2)
    assert math.isclose(found.random_pair_cosine, (0 + 1 / math.sqrt(2)) / 2)
    assert math.isclose(found.l0, 1.5)


def test_perfect_reconstructions_and_the_mean() -> None:
    x = torch.nn.functional.normalize(torch.randn(50, 6), dim=1)
    ones = torch.ones(50, 3)
    assert math.isclose(fidelity(x, x, ones).fvu, 0.0, abs_tol=1e-12)
    assert math.isclose(fidelity(x, x.mean(0).expand(50, -1), ones).fvu, 1.0, rel_tol=1e-6)


def test_no_variance_and_no_images_are_not_a_number() -> None:
    same = torch.ones(4, 3) / math.sqrt(3)
    assert math.isnan(fidelity(same, same, torch.ones(4, 1)).fvu)
    assert math.isnan(FidelityMeter().result(0.0).cosine)


@settings(max_examples=30)
@given(seed=st.integers(0, 999), cut=st.integers(1, 19))
def test_batches_add_up_to_the_whole(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    x, x_hat = rng.normal(size=(2, 20, 5))
    activations = rng.normal(size=(20, 3))
    meter = FidelityMeter()
    for part in (slice(0, cut), slice(cut, 20)):
        meter.add(*(torch.from_numpy(a[part].astype(np.float32)) for a in (x, x_hat, activations)))
    found = meter.result(0.0)
    variance = ((x - x.mean(0)) ** 2).sum()
    assert math.isclose(found.fvu, ((x - x_hat) ** 2).sum() / variance, rel_tol=1e-5)
    assert math.isclose(found.l0, (activations > 0).sum() / 20)


def test_random_pairs_of_a_sorted_source_are_no_neighbours() -> None:
    """Ten classes in sorted order, equal within and orthogonal between: chance is about one in ten."""
    x = torch.eye(10).repeat_interleave(100, dim=0)
    assert abs(random_pair_cosine(x, x) - 99 / 999) < 0.03
    assert math.isnan(random_pair_cosine(x[:1], x[:1]))
