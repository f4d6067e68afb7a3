"""The Top-K sparse autoencoder of arXiv 2509.24510 (after Gao et al., arXiv 2406.04093), inference only.

    z     = TopK_k(x @ W_enc + b_enc)
    x_hat = z @ rownormalise(W_dec) + b_dec

No `b_dec` is subtracted before the encoder and there is no ReLU: Top-K keeps the k largest pre-activations even
where they are negative, and those still enter the reconstruction. A latent is *active* where its activation is > 0.
Upstream's dropout on the pre-activations exists in training only and is not part of this module at all.

SAEs of other makers are the same module with a gate before Top-K (`sae_core.sae.formats`): a ReLU, or thresholds. With
thresholds any number of latents may pass, of which the k strongest are kept; places that stay empty hold activation 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from sae_core.errors import MismatchError
from sae_core.sae.config import SAEConfig

_CELLS = 2**25  # pre-activations that encoding holds at a time: 128 MiB


class SparseCodes(NamedTuple):
    """Codes of a batch, each row strongest first; equal activations are ordered by latent."""

    indices: Int[Tensor, "n k"]  # latents, int64
    activations: Float[Tensor, "n k"]  # their activations; those <= 0 are kept but not *active*


def shapes_of(config: SAEConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of the parameters that an SAE of this configuration has, by name."""
    d_embed, n_latents = config.d_embed, config.n_latents
    return {
        "W_enc": (d_embed, n_latents),
        "b_enc": (n_latents,),
        "W_dec": (n_latents, d_embed),
        **({"b_dec": (d_embed,)} if config.decoder_bias else {}),
        **({"threshold": (n_latents,)} if config.activation == "threshold" else {}),
    }


class TopKSAE(nn.Module):
    """`z = TopK_k(gate(x @ W_enc + b_enc))`, `x_hat = z @ rownormalise(W_dec) + b_dec`; nothing changes a buffer."""

    W_enc: nn.Parameter  # [d_embed, n_latents]
    b_enc: nn.Parameter  # [n_latents]
    W_dec: nn.Parameter  # [n_latents, d_embed]
    b_dec: nn.Parameter | None  # [d_embed]
    threshold: nn.Parameter | None  # [n_latents]; None: there are none

    def __init__(self, config: SAEConfig) -> None:
        super().__init__()
        self.config = config
        shapes = shapes_of(config)
        for name in ("W_enc", "b_enc", "W_dec", "b_dec", "threshold"):
            value = nn.Parameter(torch.zeros(shapes[name])) if name in shapes else None
            self.register_parameter(name, value)
        self.requires_grad_(False)
        self.eval()

    def pre_activations(self, x: Float[Tensor, "n d_embed"]) -> Float[Tensor, "n n_latents"]:
        """Encoder output before the gate and Top-K."""
        return torch.addmm(self.b_enc, x, self.W_enc)

    def gate(self, pre_activations: Float[Tensor, "n n_latents"]) -> Float[Tensor, "n n_latents"]:
        """What Top-K chooses from: 0 where the SAE's own rule lets nothing through."""
        if self.threshold is not None:
            passed = pre_activations > self.threshold.clamp(min=0)
            return pre_activations.where(passed, pre_activations.new_zeros(()))
        return pre_activations if self.config.activation == "topk" else pre_activations.relu()

    def encode(self, x: Float[Tensor, "n d_embed"] | Float[np.ndarray, "n d_embed"]) -> SparseCodes:
        """The k largest gated pre-activations of each embedding, strongest first; tensors, whatever x is.

        Pre-activations are made _CELLS at a time, so that memory does not grow with n. Which of several *equal* ones
        is kept at the k-th place is torch.topk's choice. Raises MismatchError for another shape.
        """
        x = self._like_weights(x)
        if x.ndim != 2 or x.shape[1] != self.config.d_embed:
            one = ", and one of them alone is x[None]" if x.ndim == 1 else ""
            raise MismatchError(f"this SAE takes embeddings [n, {self.config.d_embed}]{one}; these are {[*x.shape]}")
        rows = max(_CELLS // self.config.n_latents, 1)
        parts = [torch.topk(self.gate(self.pre_activations(part)), self.config.k, dim=-1) for part in x.split(rows)]
        return _ordered(torch.cat([part.indices for part in parts]), torch.cat([part.values for part in parts]))

    def decode(self, codes: SparseCodes) -> Float[Tensor, "n d_embed"]:
        """Reconstructions before renormalising: the weighted sum of decoder rows, plus the bias.

        The codes may hold NumPy arrays, as those of a store do.
        """
        indices = codes.indices if isinstance(codes.indices, Tensor) else torch.from_numpy(np.array(codes.indices))
        weights = self._like_weights(codes.activations)
        x_hat = F.embedding_bag(indices.to(weights.device), self.decoder_rows(), per_sample_weights=weights, mode="sum")
        return x_hat if self.b_dec is None else x_hat + self.b_dec

    def _like_weights(self, x: Tensor | np.ndarray) -> Tensor:
        """NumPy's numbers, a read-only map of a file too, where and as the weights are; a tensor as it is."""
        return x if isinstance(x, Tensor) else torch.from_numpy(np.array(x)).to(self.W_enc)

    def decoder_rows(self) -> Float[Tensor, "n_latents d_embed"]:
        """The rows that decoding uses: unit norm exactly where the checkpoint says `normalize_decoder`."""
        return F.normalize(self.W_dec, dim=1) if self.config.normalize_decoder else self.W_dec

    def directions(self) -> Float[Tensor, "n_latents d_embed"]:
        """Unit-norm decoder rows, whatever the checkpoint says: what similarity is measured with."""
        return F.normalize(self.W_dec, dim=1)

    def forward(self, x: Float[Tensor, "n d_embed"]) -> Float[Tensor, "n d_embed"]:
        """Reconstruction of x."""
        return self.decode(self.encode(x))


def _ordered(indices: Tensor, activations: Tensor) -> SparseCodes:
    """Rows by falling activation, equal ones by rising latent: two stable sorts of k numbers a row."""
    by_latent = torch.argsort(indices, dim=-1, stable=True)
    indices, activations = indices.gather(-1, by_latent), activations.gather(-1, by_latent)
    by_strength = torch.argsort(activations, dim=-1, descending=True, stable=True)
    return SparseCodes(indices.gather(-1, by_strength), activations.gather(-1, by_strength))
