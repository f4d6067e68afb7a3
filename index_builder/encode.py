"""The encode stage: decoded batches through CLIP and the SAE into shards. Decoding runs beside it in processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice

from torch import Tensor

from index_builder.decode import DecodedBatch, SlotDataset
from index_builder.pipeline import collect
from index_builder.plan import Encoders, Plan
from index_builder.reuse import Reuse
from index_builder.shards import ShardWriter, is_complete
from index_builder.sources import Source
from index_builder.stages import bounded, default_workers, finished_batches, n_cores, one_thread_beside
from index_builder.workdir import WorkDir
from sae_core.sae.topk import SparseCodes, TopKSAE


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
    if not (todo := unfinished(plan, work, progress)):
        return
    encode_these(
        todo,
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
    shards: Iterable[int],
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
    """Makes some of a plan's shards here and in decoding processes; `n_beside` such processes share the cores.

    A shard is asked for when its first batch is to be read, which is a few batches before it is made.
    """
    clip, sae = models.clip, models.sae
    n_workers = default_workers(models, n_beside) if workers is None else bounded(workers, plan)
    n_threads = max(1, n_cores() // n_beside)
    dataset = SlotDataset(source, clip.preprocessing, thumbnail_side, reuse=reuse, decoder=models.decoder)
    dataset.threads = 1 if n_workers else n_threads
    behind = 1 if clip.device.type == "cuda" else 0  # shards that may still be on their way to the disk
    begun: deque[int] = deque()
    with (
        one_thread_beside(clip.device),
        ThreadPoolExecutor(n_threads, "thumbnails") as pool,
        ThreadPoolExecutor(1, "disk") as disk,
    ):
        stages = finished_batches(_batches(shards, plan, begun), dataset, models, n_workers, pool)
        commits: deque[Future[None]] = deque()
        for first in stages:
            shard = begun.popleft()
            writer = ShardWriter(work.shard_path(shard), clip.d_embed, sae.config.k)
            for done in chain([first], islice(stages, len(plan.batches(shard)) - 1)):
                n_rejects = collect(done, source.keys, writer)
                _add_known(done.batch, sae, reuse, writer)
                progress(done.batch.n_slots, n_rejects)
            commits.append(disk.submit(writer.commit))
            while len(commits) > behind:
                commits.popleft().result()
        for commit in commits:
            commit.result()


def _batches(shards: Iterable[int], plan: Plan, begun: deque[int]) -> Iterator[list[int]]:
    for shard in shards:
        begun.append(shard)
        yield from plan.batches(shard)


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
