"""What holding a store against another SAE costs: `python -m benchmarks.found_again`.

Each store stands for its own counterpart: what is computed is the same, whatever is found. The first two figures are
paid once a process, the last one for each latent that is opened.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import tyro

from benchmarks.machine import machine
from explorer.views.counterparts import counterparts
from explorer.views.found_again import alive, directions_again, galleries_again
from sae_core import LatentStore

STORES = (Path("stores/demo"), Path("stores/large-tenth"), Path("stores/large"))


def main(stores: tuple[Path, ...] = STORES, n_latents: int = 50) -> None:
    """Latents from the rarest to the most frequent; what is read from disk the first time is in the first figure."""
    print(machine())
    for path in stores:
        if path.is_dir():
            print(_measured(LatentStore.open(path), n_latents), flush=True)
        else:
            print(f"{path}: not there (make large-stores)")


def _measured(store: LatentStore, n_latents: int) -> str:
    directions = _seconds(lambda: directions_again(store, store))
    galleries = _seconds(lambda: galleries_again(store, store))
    latents = alive(store)[np.argsort(store.latents["n_active"].to_numpy()[alive(store)])]
    asked = latents[np.linspace(0, len(latents) - 1, n_latents).astype(int)].tolist()
    each = [_seconds(partial(counterparts, store, latent, [store])) for latent in asked]
    return (
        f"{store.n_images:,} images, {store.n_latents:,} latents: directions {directions:.2f} s, "
        f"pictures {galleries:.2f} s; a latent {1000 * statistics.median(each):.1f} ms, "
        f"the slowest of {len(each)} {1000 * max(each):.0f} ms"
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    tyro.cli(main)
