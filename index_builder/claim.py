"""What a build claims its folder for: everything that decides the bytes of its store."""

from __future__ import annotations

from typing import Any

from index_builder.config import BuildConfig
from index_builder.plan import Encoders
from index_builder.publish import versions
from index_builder.sources import Source, listing_sha256
from sae_core.sae.checkpoint import sae_fingerprint


def describe_job(config: BuildConfig, source: Source, models: Encoders) -> dict[str, Any]:
    """Everything that decides the store's bytes; a build resumes only where all of it is the same."""
    return {
        "source": f"{source.kind} {source.name}",
        "listing": listing_sha256(source.keys),
        "files": source.state_sha256(),
        "encoder": models.clip.fingerprint,
        "encoder_ref": models.clip.reference,
        "precision": models.clip.precision,
        "decoder": models.decoder,
        "compiled": config.compiled_for(len(source.keys)),
        "sae": sae_fingerprint(models.sae),
        "sae_ref": config.sae,
        "name": config.store_name,
        "device": config.resolved_device(),
        "batch_size": config.resolved_batch_size(),
        "shard_size": config.shard_size,
        "thumbnail_side": config.thumbnail_side,
        "versions": versions(),
    }
