"""How fast a store answers, without the app: opening, galleries, boolean queries, the latent table, nearest images."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from explorer.views.latent_table import latent_table
from explorer.views.latents_matching import matching
from explorer.views.latents_query import LatentsQuery
from sae_core import LatentStore

_QUERIES = 200
_CHUNK = 65_536
_FILTERS: tuple[dict[str, str], ...] = (
    {"sort": "purity", "min": "0.001", "max": "0.1", "score": "0.5"},
    {"sort": "mono", "q": "class", "life": "alive"},
    {"sort": "rare", "purity": "0.25", "names": "weak"},
    {"sort": "frequent", "region": "-20,20,-20,20"},
    {},
)


def store_figures(path: Path) -> dict[str, float]:
    """Figures by name; times in milliseconds."""
    LatentStore.open(path)  # the first time reads the manifest and headers from disk
    opening = _each(LatentStore.open, [(path,)] * 20)
    store = LatentStore.open(path)
    rng = np.random.default_rng(0)
    slices, queries = _slices(store, rng), _boolean(store, rng)
    asked = rng.integers(0, store.n_images, _QUERIES)
    embeddings = [store.embedding(int(image)) for image in asked]
    store.nearest_images(embeddings[0], 10)
    table = latent_table(store)
    tables = [(table, LatentsQuery.from_params(said)) for said in _FILTERS * 20]
    pages = [(rng.integers(0, store.n_images, 216).tolist(),) for _ in range(50)]
    _each(store.gallery, slices)
    boolean = _each(store.images_where, queries)
    return {
        "opening": statistics.median(opening),
        "gallery slice of 48 anywhere, warm, 99th percentile": float(np.percentile(_each(store.gallery, slices), 99)),
        "boolean query over three latents": statistics.median(boolean),
        "boolean query over three latents, slowest of 200": max(boolean),
        "filter and sort of the latent table": statistics.median(_each(matching, tables)),
        "216 image rows from anywhere": statistics.median(_each(store.images, pages)),
        "ten nearest images": statistics.median(_each(store.nearest_images, [(x, 10) for x in embeddings])),
        "recall@10 of nearest images": recall(store, asked),
    }


def recall(store: LatentStore, image_ids: np.ndarray, n: int = 10) -> float:
    """Share of the exact n nearest other images of these that `nearest_images` finds."""
    queries = np.stack([store.embedding(int(image)) for image in image_ids])
    best = np.full((len(queries), n + 1), -np.inf, dtype=np.float32)
    ids = np.full((len(queries), n + 1), -1)
    for start in range(0, store.n_images, _CHUNK):
        block = np.array(store._embeddings[start : start + _CHUNK])
        similarities = np.concatenate([best, queries @ block.T], axis=1)
        here = np.broadcast_to(np.arange(start, start + len(block)), (len(queries), len(block)))
        numbers = np.concatenate([ids, here], axis=1)
        top = np.argpartition(-similarities, n, axis=1)[:, : n + 1]
        best, ids = np.take_along_axis(similarities, top, 1), np.take_along_axis(numbers, top, 1)
    hits = 0
    for image, query, row in zip(image_ids.tolist(), queries, ids, strict=True):
        found = set(store.nearest_images(query, n + 1).ids.tolist())
        hits += len((set(row.tolist()) - {image}) & found)
    return hits / (n * len(queries))


def _slices(store: LatentStore, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    latents = rng.integers(0, store.n_latents, 5_000).tolist()
    starts = [int(rng.integers(0, store.gallery_size(latent) + 1)) for latent in latents]
    return [(latent, start, start + 48) for latent, start in zip(latents, starts, strict=True)]


def _boolean(store: LatentStore, rng: np.random.Generator) -> list[tuple[list[int], list[int], list[int]]]:
    """Active in two latents of some image, but not in a third of it."""
    codes = [store.code(int(image)).latents.tolist() for image in rng.integers(0, store.n_images, _QUERIES)]
    return [(code[:2], [], code[2:3]) for code in codes]


def _each(call: Callable[..., Any], arguments: Sequence[Any]) -> list[float]:
    """Milliseconds of a call with each tuple of arguments."""
    times = []
    for values in arguments:
        started = time.perf_counter()
        call(*values)
        times.append((time.perf_counter() - started) * 1e3)
    return times
