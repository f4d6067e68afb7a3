"""A compiled vision tower: batches of one size, and on a GPU one graph for each."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def recorded(run: Callable[[Tensor], Tensor], given: Tensor) -> Callable[[Tensor], Tensor]:
    """The same as one CUDA graph: the GPU is asked once a batch instead of hundreds of times. One thread at a time."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made = run(given)

    def replayed(pixels: Tensor) -> Tensor:
        given.copy_(pixels)
        graph.replay()
        return made.clone()

    return replayed


def padded_to(run: Callable[[Tensor], Tensor], n: int) -> Callable[[Tensor], Tensor]:
    """Runs on exactly n pictures, of which those that were not given are black and left out again."""

    def padded(pixels: Tensor) -> Tensor:
        short = n - len(pixels)
        whole = pixels if short == 0 else torch.cat([pixels, pixels.new_zeros((short, *pixels.shape[1:]))])
        return run(whole)[: len(pixels)]

    return padded
