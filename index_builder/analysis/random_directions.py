"""The baseline of an SAE's figures: random directions through the same embeddings, each active as often as a latent.

A direction g is drawn from the normal distribution that has the embeddings' covariance, so it follows what varies in
the pictures and knows nothing else of them. Its gallery are the pictures with the largest <x - mean, g>, as many as the
gallery of a latent has that was drawn for it (or fewer, where no more are positive), and these values are its
activations. Whatever such a direction reaches
(alike pictures, stable halves, a good name) it does not take an SAE to reach. Random directions are a baseline in
Cunningham et al. 2023 (arXiv 2309.08600), there isotropic.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Float64, Int64
from scipy import sparse

from index_builder.analysis.effects import largest_z
from index_builder.analysis.figures import known, name_columns
from index_builder.analysis.gallery_sums import GalleryFacts, GallerySums
from index_builder.analysis.naming import Namer
from index_builder.analysis.profiles import label_deciles
from index_builder.analysis.strongest import strongest
from sae_core.store import layout

_N = 512  # directions, at most
_N_ENTRIES = 2**24  # images in all their galleries, at most (one has as many as it has)
_HALF = 0.5  # density of the latents that can be matched: no more pictures lie on a direction's side of the mean
_N_COMBINED = 4_096  # images whose deviations from the mean are combined
_CHUNK = 16_384  # images

Galleries = Sequence[tuple[np.ndarray, np.ndarray]]  # image ids and activations, strongest first


def write_random_directions(
    root: Path, namer: Namer, mean: Float64[np.ndarray, "d_embed"], texts: Float32[np.ndarray, "n_labels d_embed"]
) -> None:
    """Writes `latents/random_directions.parquet`; `mean` is that of all embeddings, `texts` are the labels'."""
    embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    like, directions, galleries = random_galleries(root, embeddings, mean)
    facts = _facts(embeddings, galleries, mean)
    columns: dict[str, object] = {"like_latent": like, "n_active": [len(ids) for ids, _ in galleries]}
    columns |= _label_columns(root, galleries)
    columns |= name_columns(namer.names((ids for ids, _ in galleries), facts.halves))
    columns |= {"monosemanticity": known(facts.monosemanticity), "split_half": known(facts.split_half)}
    columns |= {"effect_z": known(largest_z(directions, texts))}
    columns |= {"top_images": [ids[: layout.N_RANDOM_TOP].tolist() for ids, _ in galleries]}
    pq.write_table(pa.table(columns, schema=layout.RANDOM_SCHEMA), root / layout.RANDOM_DIRECTIONS)


def random_galleries(
    root: Path, embeddings: np.ndarray, mean: np.ndarray
) -> tuple[Int64[np.ndarray, "m"], Float64[np.ndarray, "m d_embed"], Galleries]:
    """The latents that are matched, rising, and for each a random direction and its gallery, equally large."""
    n_active = np.diff(np.load(root / layout.POSTING_OFFSETS))
    like = matched(n_active, len(embeddings))
    directions = draw(embeddings, mean, len(like))
    return like, directions, strongest(embeddings, directions, mean, n_active[like])


def matched(n_active: Int64[np.ndarray, "n_latents"], n_images: int) -> Int64[np.ndarray, "m"]:
    """The latents whose densities are taken, rising: drawn from those active in half of the images at most."""
    eligible = np.flatnonzero((n_active > 0) & (n_active <= _HALF * n_images))
    drawn = np.random.default_rng(0).permutation(eligible)[:_N]
    room = np.cumsum(n_active[drawn]) <= _N_ENTRIES
    return np.sort(drawn[: max(int(room.sum()), 1)])


def draw(embeddings: np.ndarray, mean: np.ndarray, n: int, seed: int = 1) -> Float64[np.ndarray, "n d_embed"]:
    """Unit normal combinations of images' deviations from the mean: their covariance is that of those images.

    Images are spread over the whole store. 0 where all are one. Without a decomposition, whose axes turn with the
    rounding of a sum.
    """
    rows = np.unique(np.linspace(0, len(embeddings) - 1, _N_COMBINED).astype(np.int64))
    away, rng = embeddings[rows] - mean, np.random.default_rng(seed)
    starts = range(0, n, _N_COMBINED)
    parts = [rng.standard_normal((min(_N_COMBINED, n - start), len(rows))) @ away for start in starts]
    drawn = np.concatenate([np.zeros((0, away.shape[1])), *parts])
    lengths = np.linalg.norm(drawn, axis=1, keepdims=True)
    return np.asarray(drawn / np.where(lengths > 0, lengths, 1))


def _facts(embeddings: np.ndarray, galleries: Galleries, mean: np.ndarray) -> GalleryFacts:
    """The same sums as over latents' galleries, in a second pass."""
    sums = GallerySums(len(galleries), embeddings.shape[1])
    ids = np.concatenate([np.zeros(0, np.int64), *(ids for ids, _ in galleries)])
    values = np.concatenate([np.zeros(0, np.float32), *(values for _, values in galleries)])
    order = np.argsort(ids, kind="stable")
    ids, values = ids[order], values[order]
    numbers = np.repeat(np.arange(len(galleries)), [len(ids) for ids, _ in galleries])[order]
    for start in range(0, len(embeddings), _CHUNK):
        x = np.array(embeddings[start : start + _CHUNK])
        part = slice(*np.searchsorted(ids, [start, start + len(x)]))
        places = (ids[part] - start, numbers[part])
        sums.add(start, x, sparse.csr_matrix((values[part], places), shape=(len(x), len(galleries))))
    return sums.facts(mean)


def _label_columns(root: Path, galleries: Galleries) -> dict[str, list[object]]:
    """The commonest label of each gallery (its title) and its share among the gallery's labelled images."""
    labels = np.load(root / layout.IMAGE_LABELS, mmap_mode="r")
    titles = pq.read_table(root / layout.LABELS)["title"].to_pylist()
    found = [_commonest(labels[ids]) for ids, _ in galleries]
    return {
        "top_label": [titles[code] if code >= 0 else None for code, _ in found],
        "label_purity": known(purity for _, purity in found),
    }


def _commonest(labels: np.ndarray) -> tuple[int, float]:
    top, by_decile = label_deciles(labels)
    if not len(top):
        return -1, float("nan")
    return int(top[0]), float(by_decile[0].sum() / (labels >= 0).sum())
