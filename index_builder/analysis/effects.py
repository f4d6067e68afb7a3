"""What a direction says in words: which labels' CLIP scores it moves most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Float32, Float64

from index_builder.analysis.moments import cosine_moments
from sae_core.store import layout

_CELLS = 2**24  # scores in memory together


def label_texts(root: Path, encode_texts: Callable[[Sequence[str]], np.ndarray]) -> Float32[np.ndarray, "n_labels d"]:
    """The embeddings of the labels' titles."""
    titles = pq.read_table(root / layout.LABELS)["title"].to_pylist()
    return encode_texts([title.replace("_", " ") for title in titles])


def largest_z(
    directions: np.ndarray, texts: Float32[np.ndarray, "n_labels d"], latents: Float32[np.ndarray, "n_latents d"]
) -> Float64[np.ndarray, "n"]:
    """The z of the label that each unit direction raises most, standardised over all latents' directions, as theirs is.

    NaN without labels.
    """
    if not len(texts) or not len(directions):
        return np.full(len(directions), np.nan)
    mean, spread = cosine_moments(latents, texts)
    return np.asarray(((directions @ texts.T - mean) / spread).max(1))


def write_effects(root: Path, directions: np.ndarray, texts: Float32[np.ndarray, "n_labels d"]) -> None:
    """Writes `latents/effect_*.npy`: for each latent the labels that it raises most, then those that it lowers most.

    Adding a times the direction d to an embedding moves the score of a label's text t by a <d, t>. Directions share a
    common part (CLIP's image side lies in a cone), which moves every latent alike, so labels are ranked by
    z = (<d, t> - mean over latents) / standard deviation over latents. Of the raised only those with z > 0 are kept, of
    the lowered those with z < 0.
    """
    shape = (len(directions), layout.N_RAISED + layout.N_LOWERED)
    labels = np.full(shape, -1, dtype=layout.DTYPES[layout.EFFECT_LABELS])
    cosines, z = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    if len(texts):
        mean, spread = cosine_moments(directions, texts)
        n_together = max(_CELLS // len(texts), 1)
        for start in range(0, len(directions), n_together):
            block = directions[start : start + n_together] @ texts.T
            standardised = ((block - mean) / spread).astype(np.float32)
            chosen = extremes(standardised)
            moved = np.take_along_axis(standardised, chosen, axis=1)
            n_raised, _ = shares(len(texts))
            there = np.concatenate([moved[:, :n_raised] > 0, moved[:, n_raised:] < 0], axis=1)
            rows, columns = slice(start, start + len(block)), slice(0, chosen.shape[1])
            labels[rows, columns] = np.where(there, chosen, -1)
            cosines[rows, columns] = np.where(there, np.take_along_axis(block, chosen, axis=1), 0)
            z[rows, columns] = np.where(there, moved, 0)
    for name, array in ((layout.EFFECT_LABELS, labels), (layout.EFFECT_COSINES, cosines), (layout.EFFECT_Z, z)):
        np.save(root / name, array)


def extremes(z: np.ndarray) -> np.ndarray:
    """Columns of the largest values, largest first, then of the smallest, smallest first; none twice."""
    n_raised, n_lowered = shares(z.shape[1])
    lowered = z.shape[1] - 1 - _largest(-z[:, ::-1], n_lowered)  # of equal ones the last, which raised takes last
    return np.concatenate([_largest(z, n_raised), lowered], axis=1)


def _largest(z: np.ndarray, n: int) -> np.ndarray:
    """Columns of each row's n largest values, largest first, of equal ones the first. No row is sorted as a whole."""
    if n == 0:
        return np.zeros((len(z), 0), dtype=np.int64)
    found = np.empty((len(z), n), dtype=np.int64)
    least = np.partition(z, z.shape[1] - n, axis=1)[:, z.shape[1] - n]
    for row, (values, smallest) in enumerate(zip(z, least, strict=True)):
        columns = np.flatnonzero(values >= smallest)
        found[row] = columns[np.argsort(-values[columns], kind="stable")[:n]]
    return found


def shares(n_labels: int) -> tuple[int, int]:
    """How many labels are kept of the raised and of the lowered; of few labels none is both."""
    n_raised = min(layout.N_RAISED, (n_labels + 1) // 2)
    return n_raised, min(layout.N_LOWERED, n_labels - n_raised)
