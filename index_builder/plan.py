"""What a build does: which slots make which shard and batch, and with which models."""

from __future__ import annotations

from dataclasses import dataclass

from index_builder.config import BuildConfig
from sae_core.encoder.clip import ClipEncoder
from sae_core.encoder.preprocessing import Decoder
from sae_core.sae.checkpoint import load_sae
from sae_core.sae.topk import TopKSAE


@dataclass(frozen=True)
class Plan:
    """Which slots make which shard and batch: fixed by the listing, so that a resumed build makes equal batches."""

    n_slots: int
    shard_size: int
    batch_size: int

    @property
    def n_shards(self) -> int:
        """Number of shards, the last one maybe short."""
        return -(-self.n_slots // self.shard_size)

    @property
    def n_batches(self) -> int:
        """Number of batches of all shards."""
        whole, rest = divmod(self.n_slots, self.shard_size)
        return whole * -(-self.shard_size // self.batch_size) + -(-rest // self.batch_size)

    def slots(self, shard: int) -> range:
        """Slots of a shard."""
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, self.n_slots))

    def batches(self, shard: int) -> list[list[int]]:
        """Slots of each of its batches; no batch crosses a shard."""
        slots = self.slots(shard)
        return [list(slots[start : start + self.batch_size]) for start in range(0, len(slots), self.batch_size)]


@dataclass(frozen=True)
class Encoders:
    """The two models of a build, and what decodes pictures for them."""

    clip: ClipEncoder
    sae: TopKSAE
    decoder: Decoder = "cpu"

    @classmethod
    def load(cls, config: BuildConfig, device: str) -> Encoders:
        """Those of a build. Raises EncoderError or CheckpointError."""
        clip = ClipEncoder.load(config.encoder, device, config.precision)
        return cls(clip, load_sae(config.sae, device, config.k), config.decode)
