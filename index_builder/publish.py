"""The publish stage: hashes, manifest, sync, one rename. Before it there is no store, after it a whole one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import faiss
import numpy as np
import open_clip
import openTSNE
import PIL
import pyarrow as pa
import scipy
import sklearn
import timm
import torch

import sae_core
from index_builder.config import BuildConfig
from index_builder.plan import Encoders
from index_builder.sources import Source, listing_sha256
from index_builder.sources.texts import clean_name
from sae_core.disk import sync, sync_folder, write_atomically
from sae_core.references import WORDS
from sae_core.sae.checkpoint import sae_fingerprint
from sae_core.sae.topk import TopKSAE
from sae_core.store import layout
from sae_core.store.manifest import EncoderInfo, FileInfo, Manifest, ReportCard, SAEInfo, SourceInfo
from sae_core.training.record import recorded


def make_manifest(
    root: Path, config: BuildConfig, source: Source, models: Encoders, counts: tuple[int, int], card: ReportCard
) -> Manifest:
    """Describes an assembled directory; `counts` are images and rejects."""
    clip, sae = models.clip, models.sae
    return Manifest(
        name=config.store_name,
        demonstration=config.encoder == "demo",
        n_images=counts[0],
        n_rejected=counts[1],
        n_latents=sae.config.n_latents,
        k=sae.config.k,
        d_embed=sae.config.d_embed,
        source=SourceInfo(kind=source.kind, name=source.name, listing_sha256=listing_sha256(source.keys)),
        encoder=EncoderInfo(
            ref=clip.reference,
            model=tower_name(clip.architecture),
            fingerprint=clip.fingerprint,
            weights_sha256=clip.weights_sha256,
            preprocessing=clip.preprocessing,
            precision=clip.precision,
            decoder=models.decoder,
        ),
        sae=sae_info(config.sae, sae),
        report=card,
        thumbnail_side=config.thumbnail_side or None,
        versions=versions(),
        files={
            name: file_info(root / name) for name in (*layout.REQUIRED, *layout.OPTIONAL) if (root / name).is_file()
        },
    )


def sae_info(reference: str, sae: TopKSAE) -> SAEInfo:
    """What a manifest says of an SAE; what its training held out is known of those that `train-sae` made here."""
    record = recorded(Path(reference))
    return SAEInfo(
        ref=public_name(reference),
        fingerprint=sae_fingerprint(sae),
        fvu_held_out=record.fvu_held_out if record else None,
    )


def publish(root: Path, manifest: Manifest, out: Path) -> None:
    """Syncs every file, writes the manifest last, and renames the directory to `out`."""
    for path in [*root.rglob("*"), root]:
        if path.is_dir():
            sync_folder(path)
        else:
            with open(path, "rb") as file:
                sync(file.fileno())
    write_atomically(root / layout.MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
    root.rename(out)
    sync_folder(out.parent)


def public_name(reference: str) -> str:
    """A reference for people: of a local folder or file only the name, since stores are shared."""
    path = Path(reference).expanduser()
    return clean_name(path.resolve()) if path.exists() else reference


def file_info(path: Path) -> FileInfo:
    """Size and hash of a file."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return FileInfo(size=path.stat().st_size, sha256=digest.hexdigest())


def versions() -> dict[str, str]:
    """Of the packages that decide a store's bytes, and of the analysis."""
    return {
        "sparsight": sae_core.__version__,
        "analysis": str(layout.ANALYSIS),
        "torch": torch.__version__,
        "open_clip": open_clip.__version__,
        "faiss": faiss.__version__,
        "pillow": PIL.__version__,
        "pyarrow": pa.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "openTSNE": openTSNE.__version__,
        "scikit-learn": sklearn.__version__,
        "timm": timm.__version__,
        "words": hashlib.sha256(WORDS.read_bytes()).hexdigest()[:12],
    }


def tower_name(architecture: dict[str, object]) -> str:
    """The vision tower in a few words, for people."""
    vision = architecture.get("vision_cfg")
    if isinstance(vision, dict) and "timm_model_name" in vision:
        return str(vision["timm_model_name"])
    if isinstance(vision, dict) and "patch_size" in vision:
        return f"ViT, {vision.get('layers')} layers, width {vision.get('width')}, patch {vision['patch_size']}"
    return "CLIP"
