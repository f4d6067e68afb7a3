"""ViT-B/16 as the ImageNet preset has it, with random weights: speed does not depend on them."""

from __future__ import annotations

from pathlib import Path

import open_clip
import torch

from index_builder.plan import Encoders
from sae_core import ClipEncoder
from sae_core.encoder.attached_preprocessing import preprocessing_of
from sae_core.encoder.preprocessing import Precision
from sae_core.sae.checkpoint import save_sae
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import TopKSAE

NAME = "ViT-B-16-quickgelu"


def vit(device: str = "cpu", precision: Precision = "fp32") -> ClipEncoder:
    """The encoder."""
    model = open_clip.create_model(NAME).to(device)
    return ClipEncoder(
        model,
        open_clip.get_tokenizer(NAME),
        preprocessing_of(model),
        reference=NAME,
        architecture=open_clip.get_model_config(NAME),
        precision=precision,
    )


def vit_models(device: str, precision: Precision = "fp32") -> Encoders:
    """The encoder and a random SAE of the preset's size."""
    clip = vit(device, precision)
    return Encoders(clip, random_sae(clip.d_embed).to(torch.device(device)))


def saved_models(folder: Path) -> tuple[Path, Path]:
    """Files of the encoder's weights and of the SAE, for those that load them."""
    encoder = vit()
    torch.save(encoder.model.state_dict(), folder / "weights.pt")
    return folder / "weights.pt", save_sae(random_sae(encoder.d_embed), folder / "sae")


def random_sae(d_embed: int = 512, n_latents: int = 4_096, k: int = 16) -> TopKSAE:
    """Random directions, the decoder the encoder's transpose."""
    sae = TopKSAE(SAEConfig(d_embed, n_latents, k))
    sae.W_enc.copy_(torch.nn.functional.normalize(torch.randn(d_embed, n_latents), dim=0))
    sae.W_dec.copy_(sae.W_enc.T)
    return sae
