"""The encode stage: decoded batches through CLIP and the SAE into shards. Decoding runs beside it in processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from index_builder.config import BuildConfig
from index_builder.decode import DecodedBatch, ImageRow, Reject, SlotDataset
from index_builder.reuse import Reuse
from index_builder.shards import ShardWriter, is_complete
from index_builder.sources import Source
from index_builder.workdir import WorkDir
from sae_core.encoder.clip import ClipEncoder
from sae_core.sae.checkpoint import load_sae
from sae_core.sae.topk import SparseCodes, TopKSAE

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Plan:
    """Which slots make which shard and batch: fixed by the listing, so that a resumed build makes equal batches."""

    n_slots: int
    shard_size: int
    batch_size: int

    @property
    def n_shards(self) -> int:
        """Number of shards, the last one maybe short."""
        return -(-self.n_slots // self.shard_size)

    def slots(self, shard: int) -> range:
        """Slots of a shard."""
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, self.n_slots))

    def batches(self, shard: int) -> list[list[int]]:
        """Slots of each of its batches; no batch crosses a shard."""
        slots = self.slots(shard)
        return [list(slots[start : start + self.batch_size]) for start in range(0, len(slots), self.batch_size)]


@dataclass(frozen=True)
class Encoders:
    """The two models of a build."""

    clip: ClipEncoder
    sae: TopKSAE

    @classmethod
    def load(cls, config: BuildConfig, device: str) -> Encoders:
        """Those of a build. Raises EncoderError or CheckpointError."""
        clip = ClipEncoder.load(config.encoder, device, config.precision)
        return cls(clip, load_sae(config.sae, device, config.k))


def encode_shards(
    source: Source,
    plan: Plan,
    work: WorkDir,
    models: Encoders,
    *,
    thumbnail_side: int,
    workers: int | None,
    reuse: Reuse | None = None,
    progress: Callable[[int, int], None],
) -> None:
    """Makes every shard that is not there yet; calls `progress(slots done, rejects among them)` after each batch."""
    encode_these(
        unfinished(plan, work, progress),
        source,
        plan,
        work,
        models,
        thumbnail_side=thumbnail_side,
        workers=workers,
        reuse=reuse,
        progress=progress,
    )


def unfinished(plan: Plan, work: WorkDir, progress: Callable[[int, int], None]) -> list[int]:
    """Shards that are still to be made; the others count as progress."""
    todo: list[int] = []
    for shard in range(plan.n_shards):
        if is_complete(work.shard_path(shard)):
            progress(len(plan.slots(shard)), 0)
        else:
            todo.append(shard)
    return todo


def encode_these(
    shards: Sequence[int],
    source: Source,
    plan: Plan,
    work: WorkDir,
    models: Encoders,
    *,
    thumbnail_side: int,
    workers: int | None,
    reuse: Reuse | None,
    progress: Callable[[int, int], None],
) -> None:
    """Makes some of a plan's shards, in this process and its decoding processes."""
    n_workers = default_workers(models.clip.device.type) if workers is None else workers
    # Without worker processes, decoding takes turns with the encoder and has all cores for its turn.
    threads = 1 if n_workers else n_cores()
    dataset = SlotDataset(source, models.clip.preprocessing, thumbnail_side, threads, reuse)
    decoded = iter(_loader(dataset, [batch for shard in shards for batch in plan.batches(shard)], n_workers))
    for shard in shards:
        writer = ShardWriter(work.shard_path(shard), models.clip.d_embed, models.sae.config.k)
        for _ in plan.batches(shard):
            batch = next(decoded)
            n_rejects = _encode_batch(batch, source, models, writer)
            _add_known(batch, models.sae, reuse, writer)
            progress(batch.n_slots, n_rejects)
        writer.commit()


def _loader(dataset: SlotDataset, batches: Sequence[list[int]], n_workers: int) -> Iterator[DecodedBatch]:
    return iter(
        DataLoader(
            dataset,
            batch_sampler=batches,
            num_workers=n_workers if batches else 0,
            collate_fn=_as_it_is,
            prefetch_factor=2 if n_workers and batches else None,
            worker_init_fn=_end_with_the_parent,
        )
    )


def default_workers(device: str) -> int:
    """Decoding processes beside the encoder: beside a GPU one a core, less one; beside a CPU encoder none.

    A CPU encoder keeps every core busy; decoding beside it only makes its threads wait for one another, so it is
    faster to take turns (docs/performance.md).
    """
    return max(1, n_cores() - 1) if device == "cuda" else 0


def n_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def _as_it_is(batch: Any) -> Any:
    return batch


def _encode_batch(batch: DecodedBatch, source: Source, models: Encoders, writer: ShardWriter) -> int:
    """Encodes and adds the new pictures of a batch, and its rejects; returns the number of these."""
    rejects = list(batch.rejects)
    if batch.rows:
        embeddings = models.clip.encode_pixels(batch.pixels)
        finite = torch.isfinite(embeddings).all(dim=1) & (embeddings.norm(dim=1) > 0.5)
        kept = finite.nonzero().flatten().tolist()
        rejects += [_unusable(batch, position, source) for position in (~finite).nonzero().flatten().tolist()]
        rows: list[ImageRow] = [batch.rows[position] for position in kept]
        codes = _codes(models.sae, embeddings[finite])
        writer.add_pictures([batch.slots[position] for position in kept], rows, embeddings[finite], codes)
    writer.add_rejects(rejects)
    return len(rejects)


def _add_known(batch: DecodedBatch, sae: TopKSAE, reuse: Reuse | None, writer: ShardWriter) -> None:
    """Adds the pictures of a batch that an older store has, with its embeddings, and its codes of the same SAE."""
    if not reuse or not batch.known:
        return
    slots, rows, image_ids = (list(column) for column in zip(*batch.known, strict=True))
    embeddings = reuse.embeddings(image_ids)
    codes = reuse.codes(image_ids) if reuse.same_sae else _codes(sae, embeddings)
    writer.add_pictures(slots, rows, embeddings, codes)


def _codes(sae: TopKSAE, embeddings: Tensor) -> SparseCodes:
    """Codes, on the CPU."""
    return SparseCodes(*(part.cpu() for part in sae.encode(embeddings.to(sae.W_enc.device))))


def _unusable(batch: DecodedBatch, position: int, source: Source) -> tuple[int, Reject]:
    slot = batch.slots[position]
    return slot, Reject(
        source.keys[slot], "encode", "not-finite", "the encoder gave no finite embedding for this picture"
    )


def _end_with_the_parent(_: int) -> None:
    """A killed build leaves no decoding process behind (Linux; elsewhere they end when their queue breaks)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
