"""The encode stage in several processes that share one GPU.

The threads that feed a fast GPU wait for one another, in Python and in the driver. Each process makes whole shards, as
a cluster's machines do, and a shard's bytes follow from the plan alone.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from index_builder.makers import Job, ShardMaker
from index_builder.stages import die_with_the_parent
from sae_core.errors import BuildError

_SHARDS_A_TASK = 8  # a run of them fills the pipeline once; also what a stopped build may still finish
_TASKS_A_PROCESS = 4  # or more: all processes shall end at about the same time
_maker: ShardMaker | None = None


def encode_in_processes(job: Job, shards: Sequence[int], n: int, progress: Callable[[int, int], None]) -> None:
    """Makes shards in n processes. Raises BuildError where one of them is killed, and whatever one of them raises."""
    a_task = max(1, min(_SHARDS_A_TASK, len(shards) // (_TASKS_A_PROCESS * n)))
    runs = [shards[start : start + a_task] for start in range(0, len(shards), a_task)]
    # CUDA does not survive a fork.
    with ProcessPoolExecutor(n, multiprocessing.get_context("spawn"), _start) as pool:
        futures = [pool.submit(_make, job, list(run)) for run in runs]
        try:
            for future in as_completed(futures):
                progress(*future.result())
        except BrokenProcessPool as error:
            raise BuildError(
                "a process that encodes was killed (too little memory?); the same command goes on"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start() -> None:
    die_with_the_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the builder hears it, and lets this one finish its shards


def _make(job: Job, shards: Sequence[int]) -> tuple[int, int]:
    global _maker
    if _maker is None:
        _maker = ShardMaker(job)
    return _maker.make(shards)
