"""A small store whose files are then damaged, and everything that the pages and the API read of one."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

from benchmarks.large_store import main as make_store
from benchmarks.made_up_images import Settings
from sae_core import LatentStore

_SETTINGS = {"images": 24, "latents": 48, "k": 4, "d_embed": 8, "classes": 3}


def base_store(workspace: Path) -> Path:
    """Makes it once in a workspace."""
    store = workspace / "base"
    if not store.is_dir():
        shutil.rmtree(workspace / "base.building", ignore_errors=True)
        with contextlib.redirect_stdout(io.StringIO()):
            make_store(Settings(out=store, **_SETTINGS))
    return store


def read_everything(store: LatentStore) -> None:
    """Each answer that a store gives, for a few latents and images."""
    for latent in {0, 1, store.n_latents - 1}:
        gallery = store.gallery(latent)
        store.images(gallery.image_ids.tolist())
        store.images(store.near_misses(latent).image_ids.tolist())
        store.random_members(latent, 3, 0)
        store.images_where(all_of=[0], any_of=[latent], none_of=[1])
        store.similar_latents(latent, 3)
        for found in (store.histogram, store.label_profile, store.coactive, store.effects):
            found(latent)
    for image in {0, store.n_images - 1}:
        store.codes([image])
        store.code(image)
        store.thumbnail(image)
        store.nearest_images(store.embedding(image), 3)
        kept = store.encode(store.embedding(image))
        store.text_scores(store.embedding(image))
        _ = store.decoder_rows[kept.latents], store.decoder_bias
    for code in range(len(store.labels.names)):
        store.images_of_label(code)
    _ = store.latents, store.directions, store.moments, store.mean_embedding
    store.sae()
