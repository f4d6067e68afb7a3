"""The encode stage on the machines of a Ray cluster: Ray Data hands out shards, and makes lost ones again.

Each worker holds both models, makes the shard that it is given, and writes it to the build's folder, which all
machines see. What comes back to the driver is a row of counts. A shard's bytes follow from the plan alone, so a retry,
a straggler and a duplicate end in the same file.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from index_builder.config import BuildConfig
from index_builder.encode import unfinished
from index_builder.makers import Job, ShardMaker
from index_builder.plan import Encoders, Plan
from index_builder.reuse import Reuse
from index_builder.shards import is_complete
from index_builder.sources import Source
from index_builder.workdir import WorkDir
from sae_core.errors import BuildError
from sae_core.references import REPOSITORY_ROOT

Batch = dict[str, np.ndarray]
_SHARDS_A_TASK = {"cuda": 8, "cpu": 1}  # a GPU makes a shard in a moment, and each run of them fills its pipeline anew


class RayMaker(ShardMaker):
    """The same as Ray Data calls it."""

    def __call__(self, batch: Batch) -> Batch:
        """Makes the shards of a batch; returns one row of slots and rejects."""
        made: list[tuple[int, int]] = []
        self.make(batch["shard"].tolist(), lambda *more: made.append(more))
        slots, rejects = zip(*made, strict=True)
        return {"slots": np.array([sum(slots)]), "rejects": np.array([sum(rejects)])}


def encode_on_cluster(
    config: BuildConfig,
    source: Source,
    plan: Plan,
    work: WorkDir,
    models: Encoders,
    reuse: Reuse | None,
    progress: Callable[[int, int], None],
) -> None:
    """Makes every shard that is not there yet, on the cluster that RAY_ADDRESS names, or on this machine.

    Raises BuildError where Ray is not installed, or gives up.
    """
    ray = start_ray()
    todo = unfinished(plan, work, progress)
    job = Job.of(config, source, plan, work, models, reuse)
    if todo:
        a_task = _SHARDS_A_TASK[job.device]
        rows = ray.data.from_items(
            [{"shard": shard} for shard in todo], override_num_blocks=math.ceil(len(todo) / a_task)
        )
        share = _share(ray, job.device)
        made = rows.map_batches(RayMaker, batch_size=a_task, fn_constructor_args=(job,), **share)
        try:
            for row in made.iter_rows():
                progress(int(row["slots"]), int(row["rejects"]))
        except ray.exceptions.RayError as error:
            raise BuildError(f"the cluster gave up: {_reason(error)}; the same command goes on") from error
    if missing := [shard for shard in todo if not is_complete(work.shard_path(shard))]:
        raise BuildError(f"{len(missing)} shards are not in {work.shards}: do all machines see that folder?")


def start_ray() -> Any:
    """Ray, connected to the cluster that RAY_ADDRESS names, or started here.

    Raises BuildError where Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report home
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise BuildError('--engine ray: Ray is not installed here; pip install "ray[data]"') from error
    if not ray.is_initialized():
        paths = os.pathsep.join(filter(None, (str(REPOSITORY_ROOT), os.environ.get("PYTHONPATH"))))
        ray.init(include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": paths}})
    ray.data.DataContext.get_current().enable_progress_bars = False  # the builder has its own
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    return ray


def _share(ray: Any, device: str) -> dict[str, Any]:
    """A worker for every GPU, or for every machine with all its cores: a CPU encoder uses them all.

    Ray Data starts more of them on what joins the cluster later, and on machines with several times the cores.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    if not machines:
        raise BuildError("--engine ray: the cluster has no machine with a free core")
    if device == "cuda":
        n_gpus = int(sum(machine.get("GPU", 0) for machine in machines))
        if n_gpus < 1:
            raise BuildError("--engine ray --device cuda: the cluster has no GPU; take --device cpu")
        return {"compute": _pool(ray, n_gpus), "num_gpus": 1}
    cores = int(min(machine["CPU"] for machine in machines))
    return {"compute": _pool(ray, len(machines)), "num_cpus": cores}


def _pool(ray: Any, n: int) -> Any:
    """Workers, n to begin with, and as many later as the cluster has room for."""
    return ray.data.ActorPoolStrategy(min_size=1, initial_size=n)


def _reason(error: Exception) -> str:
    said = str(getattr(error, "cause", None) or error).strip().splitlines()
    return said[-1] if said else type(error).__name__
