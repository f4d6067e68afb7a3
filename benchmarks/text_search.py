"""Search by meaning, against gallery centroids and against directions: `python -m benchmarks.text_search STORE`.

Every label is a query, put as its title alone. A latent is relevant to it where the label is the most common one of its
gallery and at least MIN_PURITY of the gallery carry it. Chance is the share of relevant latents: what a random order
scores. The interval is a bootstrap over the queries.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from benchmarks.machine import machine
from sae_core import LatentStore
from sae_core.references import REPOSITORY_ROOT

MIN_PURITY = 0.3
AGAINST: tuple[Literal["centroids", "directions"], ...] = ("centroids", "directions")


def main(store: Path = REPOSITORY_ROOT / "stores" / "demo") -> None:
    """Prints the mean average precision of both, chance, and how sure the difference is."""
    opened = LatentStore.open(store)
    relevant = relevance(opened)
    queries = np.flatnonzero(relevant.any(1))
    texts = opened.load_encoder().encode_texts([opened.labels.titles[i] for i in queries]).numpy()
    found = {against: precisions(opened, texts, relevant[queries], against) for against in AGAINST}
    chance = float(relevant[queries].sum(1).mean() / (opened.latents["n_active"] > 0).sum())
    difference = found["centroids"] - found["directions"]
    low, high = interval(difference)
    print(machine())
    print(f"{len(queries)} labels, {int(relevant.any(0).sum())} relevant latents; mean average precision:")
    for against, values in found.items():
        print(f"  {against}: {values.mean():.3f}")
    print(f"  chance: {chance:.3f}")
    print(f"  centroids - directions: {difference.mean():.3f} (95 % {low:.3f} … {high:.3f}), ", end="")
    print(f"better for {int((difference > 0).sum())} labels, worse for {int((difference < 0).sum())}")


def relevance(store: LatentStore) -> np.ndarray:
    """Which latents should be found by each label, bool [n_labels, n_latents]."""
    figures = store.latents
    top = figures["top_label"].to_numpy()
    pure = figures["label_purity"].to_numpy() >= MIN_PURITY
    labels = zip(store.labels.names, store.labels.titles, strict=True)
    return np.stack([((top == name) | (top == title)) & pure for name, title in labels])


def precisions(
    store: LatentStore, texts: np.ndarray, relevant: np.ndarray, against: Literal["centroids", "directions"]
) -> np.ndarray:
    """Average precision of each query's ranking of the latents that are not dead."""
    alive = np.flatnonzero(store.latents["n_active"] > 0)
    values = []
    for text, wanted in zip(texts, relevant, strict=True):
        order = alive[np.argsort(-store.text_scores(text, against)[alive], kind="stable")]
        hits = wanted[order]
        values.append((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())
    return np.array(values)


def interval(differences: np.ndarray, n: int = 10_000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (n, len(differences))).mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    tyro.cli(main)
