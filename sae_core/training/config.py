"""Settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass

from sae_core.errors import TrainingError


@dataclass(frozen=True)
class TrainConfig:
    """What decides the trained SAE, together with the embeddings."""

    n_latents: int  # size of the dictionary
    k: int = 16  # latents kept per embedding at the end
    steps: int = 5_000  # gradient steps
    batch_size: int = 1_024  # embeddings a step
    learning_rate: float = 1e-3  # of Adam, after the warm-up
    lr_warmup_steps: int = 200  # steps over which the learning rate rises from 0
    lr_decay_share: float = 0.2  # share of the steps, at the end, over which it falls to 0
    k_start: int = 128  # k at the first step; a wide code first keeps latents alive
    k_warmup_steps: int = 1_000  # steps over which it falls to k
    dead_after_steps: int = 100  # a latent without an activation for so many steps is dead
    aux_k: int = 64  # dead latents that rebuild the error of a batch
    aux_weight: float = 1 / 32  # weight of that auxiliary loss (Gao et al., arXiv 2406.04093, section 2.4 and A.2)
    clip_norm: float = 1.0  # largest gradient norm
    seed: int = 0
    checkpoint_every: int = 500  # steps

    def __post_init__(self) -> None:
        if self.n_latents < 1:
            raise TrainingError(f"an SAE of {self.n_latents} latents has none; give 1 or more")
        if not 1 <= self.k <= self.n_latents:
            raise TrainingError(f"k = {self.k} must lie between 1 and the {self.n_latents} latents")
        if min(self.steps, self.batch_size, self.checkpoint_every) < 1:
            raise TrainingError("steps and batch size must be at least 1")
        if not 0 <= self.seed < 2**32:
            raise TrainingError(f"a seed lies between 0 and {2**32 - 1}, not at {self.seed}")
        if not 0 < self.learning_rate < 1:
            raise TrainingError(f"a learning rate of {self.learning_rate} does not train; take one between 0 and 1")

    def k_at(self, step: int) -> int:
        """k at a step: linear from `k_start` down to `k`."""
        start = min(max(self.k_start, self.k), self.n_latents)
        if step >= self.k_warmup_steps:
            return self.k
        return round(start + (self.k - start) * step / self.k_warmup_steps)

    def lr_at(self, step: int) -> float:
        """Learning rate at a step: linear up, flat, linear down to 0."""
        up = (step + 1) / max(self.lr_warmup_steps, 1)
        down = (self.steps - step) / max(self.steps * self.lr_decay_share, 1e-9)
        return self.learning_rate * min(1.0, up, down)
