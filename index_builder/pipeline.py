"""What happens to a batch between its preparation and its shard: encoded, its thumbnails written, collected.

Beside a GPU each of these is a thread (index_builder.ahead), and nothing waits for the GPU before `finished`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from index_builder.decode import DecodedBatch, ImageRow, Reject
from index_builder.preparing import Prepared, event, on_its_way
from index_builder.shards import ShardWriter
from sae_core.encoder.clip import ClipEncoder
from sae_core.sae.topk import SparseCodes, TopKSAE
from sae_core.thumbnails import encode_small

_THUMBNAILS_A_RUN = 8  # that a thread encodes before it asks for more: handing over takes Python's lock


@dataclass(frozen=True)
class Encoded:
    """A batch with embeddings and codes, on the CPU once `ready`."""

    prepared: Prepared
    embeddings: Tensor
    codes: SparseCodes
    ready: torch.cuda.Event | None


@dataclass(frozen=True)
class Finished:
    """A batch with everything that a shard stores of it."""

    batch: DecodedBatch
    rows: list[ImageRow]  # with their thumbnails
    embeddings: Tensor
    codes: SparseCodes


@torch.no_grad()
def encode(prepared: Prepared, clip: ClipEncoder, sae: TopKSAE) -> Encoded:
    """Embeddings and codes of a batch's new pictures."""
    pixels = prepared.batch.pixels
    embeddings = clip.embed_pixels(pixels)
    codes = sae.encode(embeddings)
    on_cpu = SparseCodes(*(on_its_way(part) for part in codes))
    return Encoded(prepared, on_its_way(embeddings), on_cpu, event(clip.device))


def finished(encoded: Encoded, pool: Executor) -> Finished:
    """Waits for a batch's embeddings, and encodes its thumbnails meanwhile."""
    if encoded.prepared.ready is not None:
        encoded.prepared.ready.synchronize()
    rows = _with_thumbnails(encoded.prepared, pool)
    if encoded.ready is not None:
        encoded.ready.synchronize()
    return Finished(encoded.prepared.batch, rows, encoded.embeddings, encoded.codes)


def collect(done: Finished, keys: Sequence[str], writer: ShardWriter) -> int:
    """Adds a batch's pictures and rejects to a shard; returns the number of these."""
    batch, x = done.batch, done.embeddings
    finite = torch.isfinite(x).all(dim=1) & (x.norm(dim=1) > 0.5)
    kept = finite.nonzero().flatten().tolist()
    if kept:
        codes = SparseCodes(*(part[finite] for part in done.codes))
        writer.add_pictures([batch.slots[i] for i in kept], [done.rows[i] for i in kept], x[finite], codes)
    unusable = [batch.slots[i] for i in (~finite).nonzero().flatten().tolist()]
    rejects = batch.rejects + [(slot, _not_finite(keys[slot])) for slot in unusable]
    writer.add_rejects(rejects)
    return len(rejects)


def _with_thumbnails(prepared: Prepared, pool: Executor) -> list[ImageRow]:
    rows = prepared.batch.rows
    if prepared.small is None:
        return rows
    done = len(rows) - len(prepared.small_sizes)
    pixels = prepared.small.numpy()
    cut = [pixels[i, :height, :width] for i, (width, height) in enumerate(prepared.small_sizes)]
    runs = [cut[start : start + _THUMBNAILS_A_RUN] for start in range(0, len(cut), _THUMBNAILS_A_RUN)]
    made = [data for run in pool.map(_encode_run, runs) for data in run]
    return rows[:done] + [row._replace(thumbnail=data) for row, data in zip(rows[done:], made, strict=True)]


def _encode_run(pixels: Sequence[np.ndarray]) -> list[bytes]:
    return [encode_small(one) for one in pixels]


def _not_finite(key: str) -> Reject:
    return Reject(key, "encode", "not-finite", "the encoder gave no finite embedding for this picture")
