"""The formulas of docs/store-format.md, written down again from the page and computed with NumPy alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from sae_core.references import REPOSITORY_ROOT

PAGE = (REPOSITORY_ROOT / "docs" / "store-format.md").read_text()


class Read(NamedTuple):
    """A store's files, by no code of ours."""

    folder: Path
    x: np.ndarray
    weights: dict[str, np.ndarray]
    config: dict[str, bool]
    report: dict[str, float]
    indices: np.ndarray
    activations: np.ndarray

    def dense(self) -> np.ndarray:
        z = np.zeros((len(self.x), len(self.weights["W_dec"])))
        np.put_along_axis(z, self.indices, self.activations.astype(np.float64), axis=1)
        return z


@pytest.fixture(scope="module")
def store(demo_store: Path) -> Read:
    return Read(
        demo_store,
        np.load(demo_store / "embeddings.npy").astype(np.float64),
        load_file(demo_store / "sae" / "model.safetensors"),
        json.loads((demo_store / "sae" / "config.json").read_text()),
        json.loads((demo_store / "manifest.json").read_text())["report"],
        np.load(demo_store / "codes" / "indices.npy").astype(np.int64),
        np.load(demo_store / "codes" / "activations.npy"),
    )


def reconstructions(store: Read) -> np.ndarray:
    rows = store.weights["W_dec"].astype(np.float64)
    assert store.config["normalize_decoder"] and store.config["decoder_bias"]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(store.dense() @ rows + store.weights["b_dec"])


def test_codes_are_the_largest_pre_activations(store: Read) -> None:
    some = slice(0, 500)
    p = store.x[some] @ store.weights["W_enc"] + store.weights["b_enc"]
    kept = np.argsort(-p, axis=1, kind="stable")[:, : store.indices.shape[1]]
    assert (np.sort(kept) == np.sort(store.indices[some])).mean() > 0.9999, "but for rounding at the k-th place"
    np.testing.assert_allclose(np.take_along_axis(p, store.indices[some], axis=1), store.activations[some], atol=1e-4)


def test_decoder_rows_are_not_unit_in_the_file(store: Read) -> None:
    """Otherwise the next test would not tell whether they must be made so."""
    assert np.abs(np.linalg.norm(store.weights["W_dec"], axis=1) - 1).max() > 1e-3


def test_fvu_cosine_and_l0(store: Read) -> None:
    x, x_hat = store.x, reconstructions(store)
    fvu = ((x - x_hat) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()
    assert fvu == pytest.approx(store.report["fvu"], rel=1e-4)
    cosine = ((x * x_hat).sum(1) / np.linalg.norm(x_hat, axis=1)).mean()
    assert cosine == pytest.approx(store.report["cosine"], rel=1e-5)
    assert (store.activations > 0).sum(1).mean() == pytest.approx(store.report["l0"])


def halves(n: int) -> np.ndarray:
    """Run from the page's own lines, in Python's integers."""
    lines = PAGE.split("```text\n")[1].split("```")[0].splitlines()
    found = []
    for image_id in range(n):
        names = {"id": image_id}
        for line in lines:
            name, formula = line.split(" = ")
            names[name] = eval(formula, {}, names) % 2**64
        found.append(names["half"])
    return np.array(found)


def test_halves(store: Read) -> None:
    half = halves(len(store.x))
    assert np.bincount(half).tolist() == np.load(store.folder / "moments" / "counts.npy").tolist()
    for which, total in enumerate(np.load(store.folder / "moments" / "sums.npy")):
        np.testing.assert_allclose(store.x[half == which].sum(0), total, atol=1e-6)


def test_centroids_split_half_and_monosemanticity(store: Read) -> None:
    a, half, x = np.maximum(store.dense(), 0), halves(len(store.x)), store.x
    table = pq.read_table(store.folder / "latents.parquet").to_pandas()

    def centroid(rows: np.ndarray) -> np.ndarray:
        weight = np.maximum(a[rows].sum(0), 1e-12)[:, None]
        away = a[rows].T @ x[rows] / weight - x.mean(0)
        return np.asarray(away / np.linalg.norm(away, axis=1, keepdims=True))

    alive = table["n_active"] > 0
    stored = np.load(store.folder / "latents" / "centroids.npy")
    np.testing.assert_allclose(centroid(half >= 0)[alive], stored[alive], atol=1e-4)
    known = table["split_half"].notna()
    split = (centroid(half == 0) * centroid(half == 1)).sum(1)
    np.testing.assert_allclose(split[known], table["split_half"][known], atol=1e-4)
    total, squares = a.T @ x, (a**2).sum(0)
    several = table["monosemanticity"].notna()
    mono = ((total**2).sum(1) - squares)[several] / (a.sum(0) ** 2 - squares)[several]
    np.testing.assert_allclose(np.clip(mono, -1, 1), table["monosemanticity"][several], atol=1e-4)


def test_label_purity(store: Read) -> None:
    table = pq.read_table(store.folder / "latents.parquet").to_pandas()
    labels, active = np.load(store.folder / "labels.npy"), store.dense() > 0
    for latent in np.flatnonzero(table["label_purity"].notna())[:200]:
        rows = (active[:, latent]) & (labels >= 0)
        assert np.bincount(labels[rows]).max() / rows.sum() == pytest.approx(table["label_purity"][latent])


@pytest.mark.parametrize(
    "formula",
    [
        "p = x @ W_enc + b_enc",
        "no `b_dec` either",
        r"`D = W_dec / \|W_dec\|`, each row by its own length, where `normalize_decoder` is true",
        r"`\|x - x_hat\|²` over sum of `\|x - mean(x)\|²`",
        r"`x · x_hat / \|x_hat\|`",
        "`c = sum(a x) / sum(a) - mean(x)`",
        r"`(\|sum(a x)\|² - sum(a²)) / (sum(a)² - sum(a²))`",
    ],
)
def test_the_page_has_what_is_computed_here(formula: str) -> None:
    assert formula in PAGE
