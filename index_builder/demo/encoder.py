"""The demo encoder as an open_clip model directory: a locked ImageNet trunk, a projection, a small text transformer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor, nn

from index_builder.demo.features import N_FEATURES, TRUNK_NAME, load_trunk
from index_builder.demo.texts import CONTEXT
from index_builder.demo.towers import TwoTowers

D_EMBED = 512
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": D_EMBED,
        "vision_cfg": {
            "timm_model_name": TRUNK_NAME,
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "timm_proj_bias": True,
            "image_size": 224,
        },
        "text_cfg": {"context_length": CONTEXT, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 3},
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    },
}


def new_clip(out: Path) -> open_clip.CLIP:
    """An untrained model of this architecture; writes the config, from which open_clip makes it."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    model = open_clip.create_model(f"local-dir:{out}", load_weights=False)
    assert isinstance(model, open_clip.CLIP)
    return model


def initial_projection(features: Float[np.ndarray, "n 1280"], classifier: nn.Linear) -> nn.Linear:
    """Centred features along the 512 directions that matter to classes and to pictures, partly whitened.

    Without the centring all embeddings lie in a narrow cone, and an SAE spends its latents on the mean.
    """
    sample = torch.from_numpy(features).double()
    mean, covariance = sample.mean(0), torch.cov(sample.T)
    weights = classifier.weight.detach().double()
    gram = (weights - weights.mean(0)).T @ (weights - weights.mean(0))
    wanted = gram / gram.trace() + covariance / covariance.trace()
    directions = torch.linalg.eigh(wanted).eigenvectors[:, -D_EMBED:]
    spread = (directions.T @ covariance @ directions).diagonal().clamp(min=1e-8).sqrt()
    matrix = (directions / spread.sqrt()).T
    scale = 1 / (D_EMBED * ((sample - mean) @ matrix.T).pow(2).mean()).sqrt()
    projection = nn.Linear(N_FEATURES, D_EMBED)
    projection.weight.data = (matrix * scale).float()
    projection.bias.data = -(matrix * scale @ mean).float()
    return projection


@torch.no_grad()
def save_encoder(clip: open_clip.CLIP, towers: TwoTowers, scratch: Path, out: Path) -> None:
    """Puts trunk, projection and text tower together and writes them as float16."""
    trunk = {name: value for name, value in load_trunk(scratch).state_dict().items() if "classifier" not in name}
    clip.visual.trunk.load_state_dict(trunk)
    clip.visual.head.proj.load_state_dict(towers.projection.state_dict())
    embedding = towers.vocabulary.fill(towers.embedding.weight.detach(), clip.token_embedding.num_embeddings)
    clip.token_embedding.weight.copy_(embedding)
    clip.logit_scale.copy_(towers.contrastive_scale)
    save_file({name: _half(value) for name, value in clip.state_dict().items()}, out / "open_clip_model.safetensors")


def _half(value: Tensor) -> Tensor:
    """float16 where the type is floating; the smallest BatchNorm variances stay exact enough (checked by a test)."""
    return value.half().contiguous() if value.is_floating_point() else value.contiguous()
