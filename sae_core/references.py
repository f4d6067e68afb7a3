"""Names a person may type for an encoder or an SAE, and what they stand for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY_ROOT = Path(__file__).resolve().parent.parent
DEMO_ASSETS = REPOSITORY_ROOT / "assets" / "demo"
# Of the demonstration's pictures, as a store's manifest has it (`source.listing_sha256`); a test holds it to the tar.
DEMO_LISTING = "aed058e6aac05b5ca87616e83ea6e9fe568c118d508e10d489b849e30ceb05e0"
WORDS = REPOSITORY_ROOT / "assets" / "words" / "words.txt"  # a general vocabulary for names

ENCODER_VARIABLE = "SPARSIGHT_ENCODER"
ENCODER_WAY_OUT = f"{ENCODER_VARIABLE}=FOLDER says where it is now"  # of every encoder that cannot be loaded


@dataclass(frozen=True)
class Preset:
    """An encoder and the SAE that was trained on its embeddings."""

    encoder: str  # reference as ClipEncoder.load reads it
    sae: str  # reference as load_sae reads it
    resize: int | None = None  # short side before the centre crop, where it is not the crop itself
    about: str = ""  # one line for people


PRESETS: dict[str, Preset] = {
    "demo": Preset(
        encoder=f"local-dir:{DEMO_ASSETS / 'encoder'}",
        sae=str(DEMO_ASSETS / "sae"),
        about="the small CLIP and SAE that ship with the repository",
    ),
    # The SAE of arXiv 2509.24510 saw ImageNet resized to a short side of 256, then centre-cropped to 224;
    # stock CLIP resizes to 224, which is another crop. The OpenAI weights need QuickGELU.
    "imagenet-vitb16": Preset(
        encoder="ViT-B-16-quickgelu:openai",
        sae="patrikwolf/clip-topk-sae",
        resize=256,
        about="CLIP ViT-B/16 (OpenAI) with the Top-K SAE of arXiv 2509.24510",
    ),
}


def local_path(encoder: str) -> Path | None:
    """The folder or file of a machine that an encoder's reference names; None for a preset, a tag, and the hub."""
    path = _parted(encoder)[1]
    return Path(path).expanduser() if path else None


def encoder_reference() -> str | None:
    """Where a store's encoder lies here, as SPARSIGHT_ENCODER names it; None: where the store says."""
    return os.environ.get(ENCODER_VARIABLE) or None


def public_reference(encoder: str) -> str:
    """An encoder's reference for people: of a folder or file only its name, since stores are shared."""
    head, path = _parted(encoder)
    return f"{head}{Path(path).name}" if path else encoder


def _parted(encoder: str) -> tuple[str, str]:
    """What stands before a path, and the path: empty where there is none."""
    if encoder in PRESETS or encoder.startswith("hf-hub:"):
        return encoder, ""
    model, colon, weights = encoder.partition(":")
    if not colon or model[:1] in ("/", "~", "."):
        return "", encoder
    is_path = model == "local-dir" or "/" in weights
    return f"{model}:", weights if is_path else ""
