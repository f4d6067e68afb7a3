"""The two formats of arXiv 2509.24510: the hub mixin's `config.json` + `model.safetensors`, and the authors' `.pt`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from sae_core.errors import CheckpointError
from sae_core.sae.config import SAEConfig
from sae_core.sae.formats import Parts, stated_k

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
PT_KEYS = {"config", "model_state_dict"}
_PT_CONFIG = ("feature_dim", "expansion_factor", "k")
# Upstream counts activations in these on every call; we never do, so they are read past.
_UPSTREAM_COUNTERS = {"feature_counts", "total_samples"}


def read(raw: Mapping[str, Any], state: Mapping[str, Tensor], asked_k: int | None, where: str) -> Parts:
    """The SAE of `config.json` and its tensors."""
    config = SAEConfig.from_hub(raw)
    stated_k(config.k, asked_k, where)
    return config, _without_counters(state)


def read_pt(raw: Mapping[str, Any], asked_k: int | None, where: str) -> Parts:
    """The SAE of the authors' `.pt`; the decoder switches default as upstream's constructor does."""
    config, state = raw["config"], raw["model_state_dict"]
    if not isinstance(config, dict) or not set(_PT_CONFIG) <= config.keys():
        raise CheckpointError(f"{where}: its config lacks {', '.join(_PT_CONFIG[:2])} or {_PT_CONFIG[2]}")
    made = SAEConfig(
        d_embed=int(config["feature_dim"]),
        n_latents=int(config["feature_dim"] * config["expansion_factor"]),
        k=stated_k(int(config["k"]), asked_k, where),
        normalize_decoder=bool(config.get("normalize_decoder", True)),
        decoder_bias=bool(config.get("decoder_bias", "b_dec" in state)),
    )
    return made, _without_counters(state)


def _without_counters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if name not in _UPSTREAM_COUNTERS}
