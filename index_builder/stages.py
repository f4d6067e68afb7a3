"""The stages of a build between the listing and the shards: in turns beside a CPU encoder, at once beside a GPU's."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from typing import Any

import torch
from torch.utils.data import DataLoader

from index_builder.ahead import ahead, in_turns
from index_builder.decode import DecodedBatch, SlotDataset
from index_builder.pipeline import Finished, encode, finished
from index_builder.plan import Encoders, Plan
from index_builder.preparing import GpuDecoder, Shrinker

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_MOST_A_CORE = 8  # decoding processes: more than one helps where pictures come from afar


def finished_batches(
    batches: Iterable[list[int]], dataset: SlotDataset, models: Encoders, n_workers: int, pool: Executor
) -> Iterator[Finished]:
    """Batches with all that shards store. Beside a GPU each stage is a thread, and reads ahead."""
    # Beside a CPU encoder a thread would only take its cores. Without worker processes decoding takes turns with it,
    # and has all cores for its turn.
    stage = ahead if models.clip.device.type == "cuda" else in_turns
    coming = stage(loaded(dataset, batches, n_workers), "load")
    decoded = stage(map(GpuDecoder(dataset, models.clip.device), coming), "decode")
    prepared = stage(map(Shrinker(dataset, models.clip.device, models.clip.compiled), decoded), "shrink")
    encoded = stage((encode(batch, models.clip, models.sae) for batch in prepared), "encode")
    return stage((finished(batch, pool) for batch in encoded), "finish")


def loaded(dataset: SlotDataset, batches: Iterable[list[int]], n_workers: int) -> Iterator[DecodedBatch]:
    """Batches as the dataset gives them, made by worker processes, or here where there are none.

    Raises ChangedError.
    """
    batches_made = iter(
        DataLoader(
            dataset,
            batch_sampler=batches,
            num_workers=n_workers,
            collate_fn=_as_it_is,
            prefetch_factor=2 if n_workers else None,
            worker_init_fn=begin_to_work,
            # They read and decode, and never touch a GPU. Under a spawned process PyTorch would spawn them too, and
            # each would import everything for ten seconds.
            multiprocessing_context="fork" if n_workers and sys.platform == "linux" else None,
        )
    )
    return map(_unchanged, batches_made)


def default_workers(models: Encoders, n_beside: int = 1) -> int:
    """Decoding processes beside the encoder: beside a GPU one a core, less one; beside a CPU encoder none.

    A CPU encoder keeps every core busy; decoding beside it only makes its threads wait for one another, so it is
    faster to take turns (docs/performance.md). Where a GPU decodes, five eighths of the cores read JPEGs and look
    whether they are sound, and the others are this process's: they feed the GPU, and write thumbnails.
    """
    if models.clip.device.type != "cuda":
        return 0
    return max(1, (n_cores() * 5 // 8 if models.decoder == "gpu" else n_cores() - 1) // n_beside)


def bounded(workers: int, plan: Plan) -> int:
    """As many decoding processes as were asked for, but no more than have a batch, nor _MOST_A_CORE a core."""
    return min(workers, plan.n_batches, _MOST_A_CORE * n_cores())


@contextlib.contextmanager
def one_thread_beside(device: torch.device) -> Iterator[None]:
    """One thread for each of PyTorch's operations on the CPU, where the device is a GPU.

    They are small there, and OpenMP's threads spin until the next comes: sixteen took most of sixteen cores from the
    threads that feed the GPU (docs/performance.md).
    """
    before = torch.get_num_threads()
    if device.type == "cuda":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def n_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def _unchanged(batch: DecodedBatch) -> DecodedBatch:
    if batch.changed:
        raise batch.changed
    return batch


def _as_it_is(batch: Any) -> Any:
    return batch


def begin_to_work(_: int) -> None:
    """Ctrl-C reaches every process of a terminal: a decoding one leaves it to its parent, which ends it in order."""
    die_with_the_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def die_with_the_parent(_: int = 0) -> None:
    """A killed build leaves no process of its own behind (Linux; elsewhere they end when their queue breaks)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
