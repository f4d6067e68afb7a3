"""What an SAE is made of, as data. The hub's `config.json` uses other names: `from_hub` and `to_hub` translate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sae_core.errors import CheckpointError

# topk: the k largest pre-activations, whatever their sign. topk-relu: the same, those below 0 set to 0.
# threshold: those above the latent's own threshold (ReLU: 0), of which the k largest are kept.
Activation = Literal["topk", "topk-relu", "threshold"]

# Fields of the hub's config.json that only matter to upstream's training; kept out of SAEConfig, written with defaults.
_TRAINING_ONLY = {"use_ghost_grads": False, "ghost_threshold": 0.0, "ghost_weight": 0.0}
_REQUIRED = ("input_dim", "hidden_dim", "k")
_KNOWN = {*_REQUIRED, *_TRAINING_ONLY, "normalize_decoder", "decoder_bias", "activation"}


@dataclass(frozen=True)
class SAEConfig:
    """Sizes and switches of an SAE."""

    d_embed: int  # width of the embeddings
    n_latents: int  # number of latents
    k: int  # pre-activations kept per embedding; with thresholds: at most
    normalize_decoder: bool = True  # decode with unit-norm decoder rows
    decoder_bias: bool = True  # add b_dec to the reconstruction
    activation: Activation = "topk"

    def __post_init__(self) -> None:
        if min(self.d_embed, self.n_latents, self.k) < 1:
            sizes = f"{self.d_embed} numbers an embedding, {self.n_latents} latents, k = {self.k}"
            raise CheckpointError(f"an SAE needs positive sizes, not {sizes}")
        if self.k > self.n_latents:
            raise CheckpointError(f"k = {self.k} is more than the {self.n_latents} latents there are")

    @classmethod
    def from_hub(cls, raw: Mapping[str, Any]) -> SAEConfig:
        """Reads the hub mixin's `config.json` (arXiv 2509.24510's code), and our `activation`; unknown fields are
        refused.
        """
        if missing := [field for field in _REQUIRED if field not in raw]:
            raise CheckpointError(f"config.json lacks {', '.join(missing)} (it has: {', '.join(sorted(raw))})")
        if unknown := sorted(set(raw) - _KNOWN):
            raise CheckpointError(f"config.json has fields we do not know: {', '.join(unknown)}")
        activation = raw.get("activation", "topk")
        if activation not in get_args(Activation):
            raise CheckpointError(f"config.json: activation is {', '.join(get_args(Activation))}, not {activation!r}")
        return cls(
            d_embed=_as_int(raw, "input_dim"),
            n_latents=_as_int(raw, "hidden_dim"),
            k=_as_int(raw, "k"),
            normalize_decoder=bool(raw.get("normalize_decoder", True)),
            decoder_bias=bool(raw.get("decoder_bias", True)),
            activation=activation,
        )

    def to_hub(self) -> dict[str, Any]:
        """The same in the hub's names, with upstream's training-only fields switched off."""
        return {
            "input_dim": self.d_embed,
            "hidden_dim": self.n_latents,
            "k": self.k,
            "normalize_decoder": self.normalize_decoder,
            "decoder_bias": self.decoder_bias,
            **_TRAINING_ONLY,
            # Upstream reads its own SAEs, which have no such field, from a folder that we wrote.
            **({} if self.activation == "topk" else {"activation": self.activation}),
        }


def _as_int(raw: Mapping[str, Any], field: str) -> int:
    value = raw[field]
    if isinstance(value, bool) or not isinstance(value, int):
        raise CheckpointError(f"config.json: {field} must be a whole number, not {value!r}")
    return value
