"""The encode stage by the engine that was asked for: in this process, in several beside it, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable

from index_builder.config import BuildConfig
from index_builder.encode import encode_shards, unfinished
from index_builder.makers import Job
from index_builder.plan import Encoders, Plan
from index_builder.processes import encode_in_processes
from index_builder.reuse import Reuse
from index_builder.sources import Source
from index_builder.workdir import WorkDir


def run_engine(
    config: BuildConfig,
    source: Source,
    plan: Plan,
    work: WorkDir,
    models: Encoders,
    reuse: Reuse | None,
    report: Callable[[int, int], None],
) -> None:
    """Makes every shard that is not there yet; calls `report(slots done, rejects among them)` now and then.

    Raises BuildError where a cluster or a process gives up.
    """
    if config.engine == "ray":
        from index_builder.cluster import encode_on_cluster

        encode_on_cluster(config, source, plan, work, models, reuse, report)
        return
    if config.encoders > 1:
        job, todo = Job.of(config, source, plan, work, models, reuse), unfinished(plan, work, report)
        encode_in_processes(job, todo, config.encoders, report)
        return
    encode_shards(
        source,
        plan,
        work,
        models,
        thumbnail_side=config.thumbnail_side,
        workers=config.workers,
        reuse=reuse,
        progress=report,
    )
