"""A tiny real open_clip model and SAEs with random parameters (zero biases would hide bugs)."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import TopKSAE

TINY_CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def make_tiny_clip(folder: Path, seed: int = 0) -> str:
    """Writes an open_clip model directory (32 px, d_embed 32); returns its reference."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = open_clip.CLIP(**json.loads(json.dumps(TINY_CLIP)))
    config = {"model_cfg": TINY_CLIP, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def random_sae(
    d_embed: int = 32,
    n_latents: int = 64,
    k: int = 4,
    *,
    seed: int = 0,
    normalize_decoder: bool = True,
    decoder_bias: bool = True,
) -> TopKSAE:
    """An SAE with random weights and biases; decoder rows of all lengths."""
    generator = torch.Generator().manual_seed(seed)
    sae = TopKSAE(SAEConfig(d_embed, n_latents, k, normalize_decoder, decoder_bias))
    for value in sae.state_dict().values():
        value.copy_(torch.randn(value.shape, generator=generator) * 0.4)
    return sae
