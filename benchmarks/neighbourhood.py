"""What explaining a neighbourhood of 200 costs, without the encoder: `python -m benchmarks.neighbourhood`.

Nearest pictures, their codes, the union of their latents, and how few of them keep the mass, the energy (simultaneous
pursuit) and the labels; for stores of several sizes, in one run. Then what the control of a comparison with words
costs: the pictures nearest to each of 256 texts, at once beside one after the other.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np
import tyro

from benchmarks.machine import machine
from explorer.views.few_latents import set_row
from sae_core import LatentStore
from sae_core.linear_heads import Head, global_head
from sae_core.neighbourhoods import union_of

N, N_TEXTS = 200, 256
STEPS = ("nearest pictures", "codes and union", "how few: mass, energy, labels")
STORES = (Path("stores/demo"), Path("stores/large-tenth"), Path("stores/large"))


def main(stores: tuple[Path, ...] = STORES, n_asked: int = 20) -> None:
    """Medians over pictures from all over each store."""
    print(machine())
    for path in stores:
        if not path.is_dir():
            print(f"{path}: not there (make large-stores)")
            continue
        store = LatentStore.open(path)
        head = global_head(store.moments)
        times = [_measured(store, head, int(image)) for image in np.linspace(0, store.n_images - 1, n_asked)]
        each = [statistics.median(column) for column in zip(*times[1:], strict=True)]  # the first one reads from disk
        total = statistics.median(map(sum, times[1:]))
        said = "; ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in zip(STEPS, each, strict=True))
        print(f"{store.n_images:,} images, {store.n_latents:,} latents: {1000 * total:.0f} ms ({said})")
        at_once, singly = _of_many(store)
        ratio = at_once / singly
        print(f"  nearest to each of {N_TEXTS} texts: {at_once:.2f} s at once, {ratio:.2f} of one after the other")


def _measured(store: LatentStore, head: Head, image_id: int) -> tuple[float, float, float]:
    embedding = store.embedding(image_id)
    at = [time.perf_counter()]
    ids = store.nearest_images(embedding, N).ids
    at.append(time.perf_counter())
    union = union_of(*store.codes(ids))
    at.append(time.perf_counter())
    set_row(store, "nearest pictures", N, union, head)
    at.append(time.perf_counter())
    return at[1] - at[0], at[2] - at[1], at[3] - at[2]


def _of_many(store: LatentStore) -> tuple[float, float]:
    """Seconds of both ways, in turns; made-up embeddings, as far from any picture as those of meaningless texts."""
    x = np.random.default_rng(0).normal(size=(N_TEXTS, store.manifest.d_embed)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    times = []
    for _ in range(4):  # the first round reads from disk
        at = time.perf_counter()
        store.nearest_images_of_each(x, N)
        between = time.perf_counter()
        for embedding in x:
            store.nearest_images(embedding, N)
        times.append((between - at, time.perf_counter() - between))
    at_once, singly = (statistics.median(column) for column in zip(*times[1:], strict=True))
    return at_once, singly


if __name__ == "__main__":
    tyro.cli(main)
