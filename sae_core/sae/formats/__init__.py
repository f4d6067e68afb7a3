"""Checkpoints of other makers, each read by one small adapter into our configuration and tensors.

Everything that is linear around the activation is folded into `W_enc`, `b_enc`, `W_dec` and `b_dec`; the activation is
one of `sae_core.sae.config.Activation`. What cannot be folded exactly is refused with its name: a store never holds
codes that the SAE's own library would not give.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from sae_core.errors import CheckpointError
from sae_core.sae.config import SAEConfig

Parts = tuple[SAEConfig, dict[str, Tensor]]  # what an adapter makes of a file

AT_MOST = 64  # latents kept per picture of an SAE with thresholds, where nobody says


def stated_k(k: int, asked: int | None, where: str) -> int:
    """The checkpoint's own k. Raises CheckpointError where another one was asked for."""
    if asked not in (None, k):
        raise CheckpointError(f"{where} keeps k = {k} itself, so that --k {asked} would be another SAE; leave it out")
    return k


def cap(n_latents: int, asked: int | None) -> int:
    """How many latents of an SAE with thresholds are kept at most."""
    return min(asked or AT_MOST, n_latents)


def tensor(state: Mapping[str, Tensor], name: str, where: str) -> Tensor:
    """One tensor, as float32. Raises CheckpointError where it is not there, or holds no such numbers."""
    if not isinstance(state.get(name), Tensor):
        raise CheckpointError(f"{where} lacks {name} (it has: {', '.join(sorted(map(str, state))[:8])})")
    if not state[name].is_floating_point():
        raise CheckpointError(f"{where} holds {state[name].dtype} in {name}: weights must be floating-point numbers")
    return state[name].detach().float()
