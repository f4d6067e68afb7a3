"""Small real stores: real open_clip (a tiny model), real FAISS, the real builder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from index_builder.build import build
from index_builder.config import BuildConfig
from index_builder.decode import SlotDataset
from index_builder.sources import open_source
from sae_core.encoder.clip import ClipEncoder
from sae_core.sae.checkpoint import save_sae
from sae_core.sae.topk import TopKSAE
from sae_core.training.config import TrainConfig
from sae_core.training.trainer import train_sae
from tests.support.models import make_tiny_clip
from tests.support.pictures import make_tar


def make_store(
    path: Path,
    n_images: int = 60,
    *,
    n_latents: int = 64,
    k: int = 4,
    name: str = "Test pictures",
    images: Path | None = None,
    thumbnails: Literal["none"] | int = 256,
) -> Path:
    """Builds a store at `path` (its inputs lie beside it in `path.inputs/`); some latents of it are dead."""
    inputs = path.with_name(path.name + ".inputs")
    inputs.mkdir(parents=True, exist_ok=True)
    encoder = make_tiny_clip(inputs / "clip")
    source = images or make_tar(inputs / "pictures.tar", n_images)
    sae = save_sae(_quick_sae(encoder, source, n_latents, k), inputs / "sae")
    build(
        BuildConfig(
            images=(str(source),),
            encoder=encoder,
            sae=str(sae),
            out=path,
            name=name,
            device="cpu",
            workers=0,
            batch_size=8,
            shard_size=16,
            thumbnails=thumbnails,
        )
    )
    return path


def _quick_sae(encoder: str, source: Path, n_latents: int, k: int) -> TopKSAE:
    """An SAE that fits these pictures a little: enough for galleries that differ."""
    clip = ClipEncoder.load(encoder)
    pictures = open_source(str(source))
    pixels = SlotDataset(pictures, clip.preprocessing, 0).__getitems__(list(range(len(pictures.keys)))).pixels
    config = TrainConfig(
        n_latents=n_latents,
        k=k,
        steps=150,
        batch_size=32,
        k_start=24,
        k_warmup_steps=100,
        lr_warmup_steps=1,
        dead_after_steps=5,
    )
    return train_sae(clip.encode_pixels(pixels), config)
