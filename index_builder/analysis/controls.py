"""The controls of an SAE's figures: directions through the same embeddings, each active as often as a latent.

A direction's gallery are the images with the largest <x - mean, g>, as many as the gallery of its latent has (or fewer,
where no more are positive). They weigh what the latent's images weigh, rank by rank: a figure that activations weight
differs then by which images they are, and not by how steeply they fall. Of three kinds:

- `covariance`: drawn from the normal distribution that has the embeddings' covariance. It follows how the images vary
  and knows nothing else of them; what it reaches (alike images, stable halves, a good name) does not take an SAE.
- `isotropic`: drawn evenly from all directions, the random directions of Cunningham et al. 2023 (arXiv 2309.08600).
- `latent`: the latent's own direction. What sets it apart from the latent is the gallery alone: the farthest along it
  instead of those where it won the Top-K. The random ones are made like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, Float32, Float64, Int64
from scipy import sparse

from index_builder.analysis.borne import Carriers
from index_builder.analysis.effects import largest_z
from index_builder.analysis.figures import known, name_columns
from index_builder.analysis.gallery_sums import GalleryFacts, GallerySums
from index_builder.analysis.naming import Namer
from index_builder.analysis.profiles import label_deciles
from index_builder.analysis.random_directions import covariant, isotropic
from index_builder.analysis.strongest import strongest
from sae_core.store import layout

_N = 512  # latents that are matched, at most
_N_ENTRIES = 2**23  # images in the galleries of a kind, at most (one has as many as it has): under 2 GB
_HALF = 0.5  # density of the latents that can be matched: no more images lie on a direction's side of the mean
_CHUNK = 16_384  # images

Galleries = Sequence[tuple[np.ndarray, np.ndarray]]  # image ids and the latent's activations, strongest first


def write_controls(
    root: Path,
    namer: Namer,
    carriers: Carriers,
    mean: Float64[np.ndarray, "d_embed"],
    directions: Float32[np.ndarray, "n_latents d_embed"],
    texts: Float32[np.ndarray, "n_labels d_embed"],
) -> None:
    """Writes `latents/controls.parquet`; `mean` is that of all embeddings, `texts` are the labels'."""
    embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    like, kinds = control_directions(root, embeddings, mean, directions)
    galleries = control_galleries(root, embeddings, mean, like, kinds)
    facts = _facts(embeddings, galleries, mean)
    tables = []
    for number, (kind, drawn) in enumerate(kinds.items()):
        rows = slice(number * len(like), (number + 1) * len(like))
        mine = galleries[rows]
        columns: dict[str, object] = {"kind": [kind] * len(like), "like_latent": like}
        columns |= {"n_active": [len(ids) for ids, _ in mine], **_label_columns(root, mine)}
        names = namer.names((ids for ids, _ in mine), facts.halves[:, rows])
        columns |= name_columns(names) | carriers.columns(names, (ids for ids, _ in mine))
        columns |= {"monosemanticity": known(facts.monosemanticity[rows]), "split_half": known(facts.split_half[rows])}
        columns |= {"effect_z": known(largest_z(drawn, texts, directions))}
        columns |= {"top_images": [ids[: layout.N_CONTROL_TOP].tolist() for ids, _ in mine]}
        tables.append(pa.table(columns, schema=layout.CONTROL_SCHEMA))
    pq.write_table(pa.concat_tables(tables), root / layout.CONTROLS)


def control_directions(
    root: Path, embeddings: np.ndarray, mean: np.ndarray, directions: Float[np.ndarray, "n_latents d_embed"]
) -> tuple[Int64[np.ndarray, "m"], dict[str, Float64[np.ndarray, "m d_embed"]]]:
    """The latents that are matched, rising, and for each a direction of every kind."""
    like = matched(np.diff(np.load(root / layout.POSTING_OFFSETS)), len(embeddings))
    return like, {
        "covariance": covariant(embeddings, mean, len(like)),
        "isotropic": isotropic(embeddings.shape[1], len(like)),
        "latent": directions[like].astype(np.float64),
    }


def control_galleries(
    root: Path, embeddings: np.ndarray, mean: np.ndarray, like: np.ndarray, kinds: dict[str, np.ndarray]
) -> Galleries:
    """The galleries of all kinds, one kind after the other, in one pass."""
    offsets = np.load(root / layout.POSTING_OFFSETS)
    wanted, starts = (np.tile(of_latent[like], len(kinds)) for of_latent in (np.diff(offsets), offsets[:-1]))
    activations = np.load(root / layout.POSTING_ACTIVATIONS, mmap_mode="r")
    found = strongest(embeddings, np.concatenate([*kinds.values()]), mean, wanted)
    return [(ids, activations[start : start + len(ids)]) for start, ids in zip(starts.tolist(), found, strict=True)]


def matched(n_active: Int64[np.ndarray, "n_latents"], n_images: int) -> Int64[np.ndarray, "m"]:
    """The latents whose densities are taken, rising: drawn from those active in half of the images at most."""
    eligible = np.flatnonzero((n_active > 0) & (n_active <= _HALF * n_images))
    drawn = np.random.default_rng(0).permutation(eligible)[:_N]
    room = np.cumsum(n_active[drawn]) <= _N_ENTRIES
    return np.sort(drawn[: max(int(room.sum()), 1)])


def _facts(embeddings: np.ndarray, galleries: Galleries, mean: np.ndarray) -> GalleryFacts:
    """The same sums as over latents' galleries, in a second pass."""
    sums = GallerySums(len(galleries), embeddings.shape[1])
    ids = np.concatenate([np.zeros(0, np.int64), *(ids for ids, _ in galleries)])
    values = np.concatenate([np.zeros(0, np.float32), *(values for _, values in galleries)])
    order = np.argsort(ids, kind="stable")
    ids, values = ids[order], values[order]
    numbers = np.repeat(np.arange(len(galleries), dtype=np.int32), [len(ids) for ids, _ in galleries])[order]
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
