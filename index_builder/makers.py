"""Whole shards made outside the builder's own process: on a cluster's machines, or in processes beside one another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from index_builder.config import BuildConfig
from index_builder.encode import encode_these
from index_builder.plan import Encoders, Plan
from index_builder.reuse import Reuse
from index_builder.shards import is_complete
from index_builder.sources import Source
from index_builder.workdir import WorkDir
from sae_core.errors import MismatchError
from sae_core.sae.checkpoint import sae_fingerprint


@dataclass(frozen=True)
class Job:
    """Everything that a worker needs to make any shard of a build."""

    config: BuildConfig
    source: Source
    plan: Plan
    out: Path  # absolute
    folder: Path  # that relative paths start from
    reuse: Reuse | None
    fingerprints: tuple[str, str]  # of the encoder and the SAE
    device: str
    threads: int  # of torch: another number of them may round otherwise

    @classmethod
    def of(
        cls, config: BuildConfig, source: Source, plan: Plan, work: WorkDir, models: Encoders, reuse: Reuse | None
    ) -> Job:
        """That of a build, whose models are loaded already."""
        prints = (models.clip.fingerprint, sae_fingerprint(models.sae))
        out = work.root.with_name(work.root.name.removesuffix(".building")).resolve()
        device = config.resolved_device()
        return cls(config, source, plan, out, Path.cwd(), reuse, prints, device, torch.get_num_threads())


class ShardMaker:
    """A worker: loads the models once, then makes shards."""

    def __init__(self, job: Job) -> None:
        os.chdir(job.folder)
        torch.set_num_threads(job.threads)
        self._job, self._work = job, WorkDir(job.out)
        self._models = Encoders.load(job.config, job.device)
        if (self._models.clip.fingerprint, sae_fingerprint(self._models.sae)) != job.fingerprints:
            raise MismatchError(f"{os.uname().nodename} loads another encoder or SAE than the machine that builds")
        if job.config.compiled_for(job.plan.n_slots):
            self._models.clip.compile(job.plan.batch_size)

    def make(self, shards: Iterable[int], progress: Callable[[int, int], None]) -> None:
        """Makes shards, asking for the next one while the last ones are made; `progress` as in a build."""
        job = self._job
        encode_these(
            self._missing(shards, progress),
            job.source,
            job.plan,
            self._work,
            self._models,
            thumbnail_side=job.config.thumbnail_side,
            workers=job.config.workers,
            reuse=job.reuse,
            progress=progress,
            n_beside=job.config.encoders,
        )

    def _missing(self, shards: Iterable[int], progress: Callable[[int, int], None]) -> Iterator[int]:
        """Those that are not there: some were made before their worker was thought lost."""
        for shard in shards:
            if is_complete(self._work.shard_path(shard)):
                progress(len(self._job.plan.slots(shard)), 0)
            else:
                yield shard
