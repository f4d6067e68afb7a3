"""Codes by chunks against the plain way (`x @ W`, Top-K, scatter): `python -m benchmarks.sae_encode`.

Each is run in a process of its own: what an allocator keeps of one would be free memory for the other.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
import tyro

from benchmarks.clock import clocked
from benchmarks.machine import machine
from benchmarks.memory import peak
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import SparseCodes, TopKSAE

_LATENTS = (4_096, 32_768, 131_072)


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    images: int = 4_096
    """Embeddings that are encoded together."""
    d_embed: int = 512
    """Their width."""
    k: int = 16
    """Activations kept."""
    repeats: int = 3
    """Passes; the median counts."""
    device: str = "cuda" if torch.cuda.is_available() else "cpu"
    """cpu or cuda."""
    only: str | None = None
    """One way and size, as JSON; what this command starts itself with."""


def main(settings: Settings) -> None:
    """Prints a line for each dictionary, or measures one way of one."""
    if settings.only:
        print(json.dumps(measured(settings, **json.loads(settings.only))))
        return
    print(f"{machine()}; {settings.images:,} embeddings of {settings.d_embed}, k {settings.k}, {settings.device}\n")
    print("| latents | time / plain | memory / plain | memory, MB | plain, MB |\n|---|---|---|---|---|")
    for n_latents in _LATENTS:
        ours, plain = (in_a_process({"way": way, "n_latents": n_latents}) for way in ("chunked", "plain"))
        time_ratio, memory_ratio = (ours[name] / plain[name] for name in ("seconds", "mb"))
        print(f"| {n_latents:,} | {time_ratio:.2f} | {memory_ratio:.3f} | {ours['mb']:,.0f} | {plain['mb']:,.0f} |")


def in_a_process(only: dict[str, object]) -> dict[str, float]:
    """The same command, with the same other arguments, for one way and size."""
    command = [sys.executable, "-m", "benchmarks.sae_encode", *sys.argv[1:], "--only", json.dumps(only)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def measured(settings: Settings, way: str, n_latents: int) -> dict[str, float]:
    """Seconds of a pass, and MB beyond what weights and embeddings take."""
    torch.manual_seed(0)
    sae = TopKSAE(SAEConfig(settings.d_embed, n_latents, settings.k)).to(settings.device)
    sae.W_enc.copy_(torch.randn(settings.d_embed, n_latents))
    x = torch.nn.functional.normalize(torch.randn(settings.images, settings.d_embed), dim=1).to(settings.device)
    encode: Callable[[], object] = (lambda: sae.encode(x)) if way == "chunked" else (lambda: plain(sae, x))
    sae.encode(x[:8])  # what libraries allocate once
    if settings.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if settings.device == "cuda" else 0
    with peak() as most:
        seconds = [clocked(encode, settings.device) for _ in range(settings.repeats)]
    mb = (torch.cuda.max_memory_allocated() - before) / 1e6 if settings.device == "cuda" else most[0]
    return {"seconds": statistics.median(seconds), "mb": mb}


def plain(sae: TopKSAE, x: torch.Tensor) -> tuple[SparseCodes, torch.Tensor]:
    """All pre-activations, Top-K, and the dense code that most implementations return."""
    pre = sae.pre_activations(x)
    top = torch.topk(pre, sae.config.k, dim=-1)
    return SparseCodes(top.indices, top.values), torch.zeros_like(pre).scatter(-1, top.indices, top.values)


if __name__ == "__main__":
    main(tyro.cli(Settings))
