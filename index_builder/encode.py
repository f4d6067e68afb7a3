"""The encode stage: decoded batches through CLIP and the SAE into shards. Decoding runs beside it in processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader

from index_builder.ahead import ahead
from index_builder.config import BuildConfig
from index_builder.decode import DecodedBatch, SlotDataset
from index_builder.pipeline import Finished, collect, encode, finished
from index_builder.preparing import GpuDecoder, Shrinker
from index_builder.reuse import Reuse
from index_builder.shards import ShardWriter, is_complete
from index_builder.sources import Source
from index_builder.workdir import WorkDir
from sae_core.encoder.clip import ClipEncoder
from sae_core.encoder.preprocessing import Decoder
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
    """The two models of a build, and what decodes pictures for them."""

    clip: ClipEncoder
    sae: TopKSAE
    decoder: Decoder = "cpu"

    @classmethod
    def load(cls, config: BuildConfig, device: str) -> Encoders:
        """Those of a build. Raises EncoderError or CheckpointError."""
        clip = ClipEncoder.load(config.encoder, device, config.precision)
        return cls(clip, load_sae(config.sae, device, config.k), config.decode)


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
    n_beside: int = 1,
) -> None:
    """Makes some of a plan's shards here and in decoding processes; `n_beside` such processes share the cores."""
    clip, sae = models.clip, models.sae
    batches = [batch for shard in shards for batch in plan.batches(shard)]
    n_workers = default_workers(models, n_beside) if workers is None else workers
    n_threads = max(1, n_cores() // n_beside)
    dataset = SlotDataset(source, clip.preprocessing, thumbnail_side, reuse=reuse, decoder=models.decoder)
    dataset.threads = 1 if n_workers else n_threads
    behind = 1 if clip.device.type == "cuda" else 0  # shards that may still be on their way to the disk
    with ThreadPoolExecutor(n_threads) as pool, ThreadPoolExecutor(1) as disk:
        stages = _stages(batches, dataset, models, n_workers, pool)
        commits: deque[Future[None]] = deque()
        for shard in shards:
            writer = ShardWriter(work.shard_path(shard), clip.d_embed, sae.config.k)
            for _ in plan.batches(shard):
                done = next(stages)
                n_rejects = collect(done, source.keys, writer)
                _add_known(done.batch, sae, reuse, writer)
                progress(done.batch.n_slots, n_rejects)
            commits.append(disk.submit(writer.commit))
            while len(commits) > behind:
                commits.popleft().result()
        for commit in commits:
            commit.result()


def _stages(
    batches: Sequence[list[int]], dataset: SlotDataset, models: Encoders, n_workers: int, pool: ThreadPoolExecutor
) -> Iterator[Finished]:
    """Batches with all that shards store. Beside a GPU each stage is a thread, and reads ahead."""
    # Beside a CPU encoder a thread would only take its cores. Without worker processes decoding takes turns with it,
    # and has all cores for its turn.
    stage = ahead if models.clip.device.type == "cuda" else iter
    loaded = _loader(dataset, batches, n_workers)
    decoded = stage(map(GpuDecoder(dataset, models.clip.device), stage(loaded)))
    prepared = stage(map(Shrinker(dataset, models.clip.device, models.clip.compiled), decoded))
    encoded = stage(encode(batch, models.clip, models.sae) for batch in prepared)
    return stage(finished(batch, pool) for batch in encoded)


def _loader(dataset: SlotDataset, batches: Sequence[list[int]], n_workers: int) -> Iterator[DecodedBatch]:
    return iter(
        DataLoader(
            dataset,
            batch_sampler=batches,
            num_workers=n_workers if batches else 0,
            collate_fn=_as_it_is,
            prefetch_factor=2 if n_workers and batches else None,
            worker_init_fn=die_with_the_parent,
        )
    )


def default_workers(models: Encoders, n_beside: int = 1) -> int:
    """Decoding processes beside the encoder: beside a GPU one a core, less one; beside a CPU encoder none.

    A CPU encoder keeps every core busy; decoding beside it only makes its threads wait for one another, so it is
    faster to take turns (docs/performance.md). Where a GPU decodes, half of the cores read, and the others are this
    process's: they feed the GPU, and write thumbnails.
    """
    if models.clip.device.type != "cuda":
        return 0
    return max(1, (n_cores() // 2 if models.decoder == "gpu" else n_cores() - 1) // n_beside)


def n_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def _as_it_is(batch: Any) -> Any:
    return batch


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


def die_with_the_parent(_: int = 0) -> None:
    """A killed build leaves no process of its own behind (Linux; elsewhere they end when their queue breaks)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
