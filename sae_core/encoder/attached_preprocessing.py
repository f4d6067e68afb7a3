"""The preprocessing that open_clip attached to a model, as data."""

from __future__ import annotations

import open_clip
import torch

from sae_core.encoder.preprocessing import Preprocessing
from sae_core.errors import EncoderError


def preprocessing_of(model: torch.nn.Module, resize: int | None = None) -> Preprocessing:
    """The preprocessing that open_clip attached to a model, with another resize where a preset asks for it."""
    config = open_clip.get_model_preprocess_cfg(model)
    size = config.get("size", 224)
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise EncoderError(f"the encoder takes pictures of {size} pixels; only square ones are supported")
    side = int(sides.pop())
    return Preprocessing(
        resize=resize or side,
        crop=side,
        mode=config.get("resize_mode") or "shortest",
        interpolation=config.get("interpolation") or "bicubic",
        fill=config.get("fill_color") or 0,
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
