"""Size of the image, its start beside the bare app's, and its stop: `python -m benchmarks.container --data IMAGES`."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tyro

from benchmarks.machine import machine
from benchmarks.served import served
from container.build import BuildImage, buildah
from container.run import Running, running

STORE = Path("stores/demo")
USER = 10001


@dataclass(frozen=True)
class Config:
    """Measure the image that `make container` built."""

    data: Path = BuildImage.data
    image: str = "sparsight"
    repeats: int = 3


def main(config: Config) -> None:
    print(machine())
    listed = json.loads(buildah(config.data, "images", "--json", config.image, capture=True))
    print(f"size: {listed[0]['size']}")
    bare, inside, stops = [], [], []
    for _ in range(config.repeats):  # in turn, so that what else the machine does meets both
        bare.append(_bare_start())
        with _container(config) as (container, began):
            container.wait_until_it_answers()
            inside.append(time.perf_counter() - began)
            stops.append(_stop(container))
    ratio = statistics.median(inside) / statistics.median(bare)
    print(f"start to first answer: {_said(inside)} in the container, {_said(bare)} bare, {ratio:.2f} times")
    print(f"stop: {_said(stops)}")


def _stop(container: Running) -> float:
    began = time.perf_counter()
    container.stop(30)
    return time.perf_counter() - began


def _bare_start() -> float:
    began = time.perf_counter()
    with served(STORE):
        return time.perf_counter() - began


@contextmanager
def _container(config: Config) -> Iterator[tuple[Running, float]]:
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, USER, USER)
        with running(config.data, config.image, mounts={"/store": STORE.resolve()}, writable=Path(folder)) as container:
            yield container, time.perf_counter()


def _said(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} s ({min(seconds):.1f}-{max(seconds):.1f})"


if __name__ == "__main__":
    main(tyro.cli(Config))
