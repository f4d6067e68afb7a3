"""One build, from a source to a published store: plan, check, encode, assemble, publish. Any of it may be killed."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from index_builder.analysis import N_STEPS, EncodeTexts
from index_builder.assemble import assemble
from index_builder.compatibility import check_compatibility
from index_builder.config import BuildConfig
from index_builder.encode import Encoders, Plan, encode_shards
from index_builder.publish import make_manifest, publish, versions
from index_builder.sources import Source, listing_sha256, open_source
from index_builder.workdir import WorkDir
from sae_core.encoder.clip import ClipEncoder
from sae_core.errors import BuildError, MismatchError, StoreError
from sae_core.sae.checkpoint import load_sae, sae_fingerprint
from sae_core.sae.topk import TopKSAE
from sae_core.store import layout
from sae_core.store.checks import read_manifest
from sae_core.store.manifest import Manifest

log = logging.getLogger("sparsight")
LoadModels = Callable[[BuildConfig], Encoders]


def load_models(config: BuildConfig) -> Encoders:
    """The encoder and the SAE of a build. Raises MismatchError where their widths differ."""
    device = config.resolved_device()
    return Encoders(ClipEncoder.load(config.encoder, device), load_sae(config.sae, device))


def build(config: BuildConfig, load: LoadModels = load_models) -> Manifest:
    """Builds a store, or goes on with an unfinished one. `load` is injected by tests.

    Raises SparsightError in one sentence where the build cannot start or go on.
    """
    config.out.parent.mkdir(parents=True, exist_ok=True)
    if config.out.exists() and not (config.out / layout.MANIFEST).is_file():
        raise BuildError(f"{config.out} exists and is no store: choose another --out, or remove it")
    source = limited(open_source(config.images), config.limit)
    models = load(config)
    _check_widths(models.clip, models.sae)
    job = describe_job(config, source, models)
    work = WorkDir(config.out)
    if config.out.exists():
        return _already_there(config, job, work)
    with work.locked():
        work.claim(job)
        return _run(config, source, models, work)


def describe_job(config: BuildConfig, source: Source, models: Encoders) -> dict[str, Any]:
    """Everything that decides the store's bytes; a build resumes only where all of it is the same."""
    return {
        "source": f"{source.kind} {source.name}",
        "listing": listing_sha256(source.keys),
        "files": source.state_sha256(),
        "encoder": models.clip.fingerprint,
        "encoder_ref": models.clip.reference,
        "sae": sae_fingerprint(models.sae),
        "sae_ref": config.sae,
        "name": config.store_name,
        "device": config.resolved_device(),
        "batch_size": config.batch_size,
        "shard_size": config.shard_size,
        "thumbnail_side": config.thumbnail_side,
        "versions": versions(),
    }


def limited(source: Source, limit: int | None) -> Source:
    """The first `limit` samples of a source."""
    if limit is None or limit >= len(source.keys):
        return source
    kept: Source = dataclasses.replace(source, keys=source.keys[:limit])  # type: ignore[type-var]
    return kept


def _check_widths(clip: ClipEncoder, sae: TopKSAE) -> None:
    if clip.d_embed != sae.config.d_embed:
        raise MismatchError(
            f"the encoder gives {clip.d_embed} numbers, the SAE takes {sae.config.d_embed}: they do not belong together"
        )


def _already_there(config: BuildConfig, job: dict[str, Any], work: WorkDir) -> Manifest:
    """A published store is kept where it is what was asked for, and never overwritten."""
    try:
        manifest = read_manifest(config.out)
    except StoreError as error:
        raise BuildError(f"{error}; remove {config.out} to build it anew") from error
    there = (manifest.source.listing_sha256, manifest.encoder.fingerprint, manifest.sae.fingerprint)
    if (manifest.thumbnail_side or 0) != config.thumbnail_side or manifest.name != config.store_name:
        raise BuildError(f"{config.out} has another name or thumbnail side: choose another --out, or remove it")
    if there != (job["listing"], job["encoder"], job["sae"]):
        raise BuildError(
            f"{config.out} is a finished store of other pictures or models: choose another --out, or remove it"
        )
    log.info("%s is already built from these pictures and models; nothing to do", config.out)
    work.remove()
    return manifest


def _run(config: BuildConfig, source: Source, models: Encoders, work: WorkDir) -> Manifest:
    plan = Plan(len(source.keys), config.shard_size, config.batch_size)
    if not any(work.shards.glob("*.arrow")):
        check_compatibility(source, models)
    with _bar("encode", plan.n_slots) as bar:
        encode_shards(
            source,
            plan,
            work,
            models,
            thumbnail_side=config.thumbnail_side,
            workers=config.workers,
            progress=_reporter(bar),
        )
    root = work.fresh_store()
    sae = models.sae.to(torch.device("cpu"))
    shards = [work.shard_path(shard) for shard in range(plan.n_shards)]
    with _bar("assemble", plan.n_slots) as bar, _bar("analyse", N_STEPS, unit="step") as steps:
        n_images, n_rejected, card = assemble(
            root,
            shards,
            sae,
            _text_encoder(models.clip),
            thumbnails=config.thumbnail_side > 0,
            progress=_adder(bar),
            step=_namer(steps),
        )
    manifest = make_manifest(root, config, source, models, (n_images, n_rejected), card)
    publish(root, manifest, config.out)
    work.remove()
    return manifest


def _text_encoder(clip: ClipEncoder) -> EncodeTexts:
    def encode(texts: Sequence[str]) -> np.ndarray:
        return clip.encode_texts(texts).numpy()

    return encode


def _namer(bar: tqdm[Any]) -> Callable[[str], None]:
    def begin(step: str) -> None:
        bar.set_description(f"analyse: {step}")
        bar.update()

    return begin


def _adder(bar: tqdm[Any]) -> Callable[[int], None]:
    def add(n: int) -> None:
        bar.update(n)

    return add


def _bar(stage: str, total: int, unit: str = "img") -> tqdm[Any]:
    """A progress bar with rate and time left on a terminal; in a log, one line in ten seconds at most."""
    slow = not sys.stderr.isatty()
    return tqdm(
        total=total, desc=stage, unit=unit, dynamic_ncols=True, mininterval=10 if slow else 0.2, file=sys.stderr
    )


def _reporter(bar: tqdm[Any]) -> Callable[[int, int], None]:
    rejected = 0

    def report(n_slots: int, n_rejects: int) -> None:
        nonlocal rejected
        rejected += n_rejects
        if n_rejects:
            bar.set_postfix(rejected=rejected, refresh=False)
        bar.update(n_slots)

    return report
