"""What a store answers about its SAE and the moments of its embeddings, in NumPy: no model is loaded for it."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64
from safetensors import safe_open

from sae_core.sae.config import SAEConfig
from sae_core.store import layout, search
from sae_core.store.opened import OpenStore
from sae_core.store.records import KeptCode, Moments


class SAEReads(OpenStore):
    """Weights that the app computes with, and sums over all embeddings."""

    def pre_activations(self, embedding: Float32[np.ndarray, "d_embed"]) -> Float32[np.ndarray, "n_latents"]:
        """The SAE's pre-activations of an embedding, all latents: what Top-K then chooses from."""
        search.check_width(embedding, self.manifest.d_embed)
        w_enc, b_enc = self._encoder_weights
        return np.asarray(embedding @ w_enc + b_enc)

    def encode(self, embedding: Float32[np.ndarray, "d_embed"]) -> KeptCode:
        """What Top-K keeps of an embedding, strongest first, equal activations by latent."""
        z = self._gated(self.pre_activations(np.asarray(embedding, dtype=np.float32)))
        kept = np.sort(np.argpartition(-z, self.k - 1)[: self.k])
        order = np.argsort(-z[kept], kind="stable")
        return KeptCode(kept[order].astype(np.int64), z[kept][order])

    def bar(self, z: Float32[np.ndarray, "n_latents"], latent: int) -> float:
        """The pre-activation that a latent must reach to be kept, where z are those of all latents: the k-th largest,
        and its own threshold where the SAE has thresholds.
        """
        kth = float(np.partition(self._gated(z), -self.k)[-self.k])
        return kth if self._thresholds is None else max(kth, float(self._thresholds[latent]))

    @property
    def has_thresholds(self) -> bool:
        """Whether latents pass by thresholds of their own, so that a picture has any number of them, k at most."""
        return self._sae_config.activation == "threshold"

    @property
    def even_density(self) -> float:
        """The density of each latent if all were active equally often."""
        return (self.manifest.report.l0 if self.has_thresholds else self.k) / self.n_latents

    @cached_property
    def directions(self) -> Float32[np.ndarray, "n_latents d_embed"]:
        """Unit-norm decoder rows: what similarity and spans are measured with."""
        rows = np.asarray(self._latent_index.reconstruct_n(0, self.n_latents))
        rows.flags.writeable = False
        return rows

    @cached_property
    def decoder_rows(self) -> Float32[np.ndarray, "n_latents d_embed"]:
        """The rows that decoding adds up: the directions where the checkpoint says `normalize_decoder`."""
        if self._sae_config.normalize_decoder:
            return self.directions
        with safe_open(self.path / layout.SAE_WEIGHTS, framework="numpy") as weights:
            return np.asarray(weights.get_tensor("W_dec"))

    @cached_property
    def decoder_bias(self) -> Float32[np.ndarray, "d_embed"]:
        """What decoding adds; zeros where the SAE has no bias."""
        if not self._sae_config.decoder_bias:
            return np.zeros(self.manifest.d_embed, dtype=np.float32)
        with safe_open(self.path / layout.SAE_WEIGHTS, framework="numpy") as weights:
            return np.asarray(weights.get_tensor("b_dec"))

    @cached_property
    def moments(self) -> Moments:
        """Sums over the embeddings of either half of the store, memory-mapped."""
        return Moments(
            *(
                self._files.array(name)
                for name in (
                    layout.MOMENT_COUNTS,
                    layout.MOMENT_SUMS,
                    layout.MOMENT_PRODUCTS,
                    layout.MOMENT_LABEL_COUNTS,
                    layout.MOMENT_LABEL_SUMS,
                )
            )
        )

    @cached_property
    def mean_embedding(self) -> Float64[np.ndarray, "d_embed"]:
        """Mean of all embeddings; not of unit norm."""
        return np.asarray(self.moments.sums.sum(0) / self.n_images)

    def _gated(self, z: Float32[np.ndarray, "n_latents"]) -> Float32[np.ndarray, "n_latents"]:
        """What Top-K chooses from, as `TopKSAE.gate` has it."""
        if self._thresholds is not None:
            return np.where(z > self._thresholds, z, np.float32(0))
        return z if self._sae_config.activation == "topk" else np.maximum(z, 0)

    @cached_property
    def _thresholds(self) -> Float32[np.ndarray, "n_latents"] | None:
        """Of each latent, 0 or more; None: the SAE has none."""
        if not self.has_thresholds:
            return None
        with safe_open(self.path / layout.SAE_WEIGHTS, framework="numpy") as weights:
            return np.asarray(np.maximum(weights.get_tensor("threshold"), 0))

    @cached_property
    def _sae_config(self) -> SAEConfig:
        return SAEConfig.from_hub(json.loads((self.path / layout.SAE_CONFIG).read_text(encoding="utf-8")))

    @cached_property
    def _encoder_weights(self) -> tuple[np.ndarray, np.ndarray]:
        with safe_open(self.path / layout.SAE_WEIGHTS, framework="numpy") as weights:
            return weights.get_tensor("W_enc"), weights.get_tensor("b_enc")

    @cached_property
    def _latent_index(self) -> Any:
        return self._files.index(layout.LATENT_INDEX, self.n_latents)
