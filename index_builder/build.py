"""One build, from a source to a published store: plan, check, encode, assemble, publish. Any of it may be killed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np
import torch

from index_builder import progress
from index_builder.analysis import N_STEPS, EncodeTexts
from index_builder.assemble import assemble
from index_builder.bf16 import bf16_gain
from index_builder.claim import describe_job
from index_builder.compatibility import check_compatibility
from index_builder.config import BuildConfig
from index_builder.engines import run_engine
from index_builder.existing import Asked, check_out, finished
from index_builder.labels import warn_where_few_repeat
from index_builder.plan import Encoders, Plan
from index_builder.publish import make_manifest, publish
from index_builder.reuse import REUSED, Reuse
from index_builder.sources import Source, open_source
from index_builder.sources.base import check_unchanged, limited
from index_builder.sources.folder import FolderSource
from index_builder.verify import hash_defects
from index_builder.workdir import WorkDir
from sae_core.encoder.clip import ClipEncoder
from sae_core.errors import BuildError, ChangedError, MismatchError
from sae_core.sae.topk import TopKSAE
from sae_core.store.checks import broken, read_manifest
from sae_core.store.manifest import Manifest

log = logging.getLogger("sparsight")
LoadModels = Callable[[BuildConfig], Encoders]
_NOT_LOOKED_AT = "whether pictures have changed was not looked at: --reuse %s and another --out take those that have"


def load_models(config: BuildConfig) -> Encoders:
    """The encoder and the SAE of a build."""
    device = config.resolved_device()
    if device == "cpu" and config.precision == "bf16" and (gain := bf16_gain()) < 1:
        log.warning("this processor is slower in bf16 (%.2f of its speed in fp32): take --precision fp32", gain)
    return Encoders.load(config, device)


def build(config: BuildConfig, load: LoadModels = load_models, source: Source | None = None) -> Manifest:
    """Builds a store, or goes on with an unfinished one, from `config.images` where `source` is not given.

    `load` is injected by tests. Raises SparsightError in one sentence where the build cannot start or go on.
    """
    check_out(config.out)
    source = limited(source or open_source(*config.images), config.limit)
    models = load(config)
    _check_widths(models.clip, models.sae)
    job = describe_job(config, source, models)
    work = WorkDir(config.out)
    asked = Asked(
        config.store_name,
        config.thumbnail_side,
        job["listing"],
        job["encoder"],
        job["precision"],
        job["decoder"],
        job["sae"],
    )
    if there := finished(config.out, asked, work):
        log.info(_NOT_LOOKED_AT, config.out)
        return there
    reuse = _reused(config, source, models)
    with work.locked():
        if there := finished(config.out, asked, work):  # another build may have published it since
            return there
        work.claim(job | {"reuse": reuse.version if reuse else None})
        try:
            return _run(config, source, models, work, reuse, job["files"])
        except ChangedError as error:
            raise ChangedError(f"{error}: once nothing writes there, remove {work.root} to start anew") from error


def _check_widths(clip: ClipEncoder, sae: TopKSAE) -> None:
    if clip.d_embed != sae.config.d_embed:
        raise MismatchError(
            f"the encoder gives {clip.d_embed} numbers, the SAE takes {sae.config.d_embed}: they do not belong together"
        )


def _reused(config: BuildConfig, source: Source, models: Encoders) -> Reuse | None:
    """The older store, after a look at every byte that may be taken from it."""
    if config.reuse is None:
        return None
    reuse = Reuse.of(config.reuse, source, models.clip, models.decoder, models.sae, config.thumbnail_side)
    if defects := list(hash_defects(config.reuse, read_manifest(config.reuse), REUSED)):
        raise broken(config.reuse, defects)
    return reuse


def _check_read(source: Source, state: str) -> None:
    """Raises ChangedError where a tar or Parquet file changed meanwhile: what was read may be of two files.

    Of a folder each picture was read at once, as it was then: hours of work are not thrown away for one.
    """
    try:
        check_unchanged(source, state)
    except ChangedError as error:
        if source.kind != "folder":
            raise
        log.warning("%s: the store holds what was read before or after; build it again to be sure", error)


def _run(
    config: BuildConfig, source: Source, models: Encoders, work: WorkDir, reuse: Reuse | None, state: str
) -> Manifest:
    plan = Plan(len(source.keys), config.shard_size, config.resolved_batch_size())
    if isinstance(source, FolderSource):  # whose labels are known before hours of work
        warn_where_few_repeat(source.label_counts())
    if config.engine == "local" and config.encoders == 1 and config.compiled_for(plan.n_slots):
        models.clip.compile(plan.batch_size)
    if not any(work.shards.glob("*.arrow")):
        check_compatibility(source, models)
    _encode(config, source, plan, work, models, reuse, state)
    return _publish(config, source, plan, work, models)


def _encode(
    config: BuildConfig,
    source: Source,
    plan: Plan,
    work: WorkDir,
    models: Encoders,
    reuse: Reuse | None,
    state: str,
) -> None:
    """Every shard, from files that still look as `state` says."""
    with progress.bar("encode", plan.n_slots) as bar:
        try:
            run_engine(config, source, plan, work, models, reuse, progress.reporter(bar))
        except BuildError:
            check_unchanged(source, state)  # which may be why a cluster gave up
            raise
    _check_read(source, state)


def _publish(config: BuildConfig, source: Source, plan: Plan, work: WorkDir, models: Encoders) -> Manifest:
    """The store, of shards that are all there."""
    root = work.fresh_store()
    sae = models.sae.to(torch.device("cpu"))
    shards = [work.shard_path(shard) for shard in range(plan.n_shards)]
    with progress.bar("assemble", plan.n_slots) as bar, progress.analysis(N_STEPS, after=bar) as step:
        n_images, n_rejected, card = assemble(
            root,
            shards,
            sae,
            text_encoder(models.clip),
            thumbnails=config.thumbnail_side > 0,
            progress=progress.adder(bar),
            step=step,
            memory=config.memory_bytes,
            labels_told=isinstance(source, FolderSource),
        )
    manifest = make_manifest(root, config, source, models, (n_images, n_rejected), card)
    publish(root, manifest, config.out)
    work.remove()
    return manifest


def text_encoder(clip: ClipEncoder) -> EncodeTexts:
    """The encoder's texts as the analysis takes them."""

    def encode(texts: Sequence[str]) -> np.ndarray:
        return clip.encode_texts(texts).numpy()

    return encode
