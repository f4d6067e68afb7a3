"""What decoding JPEGs on a GPU and encoding there leave of one another: `python -m benchmarks.decoding_beside`.

Each by itself, then both at once from two threads and two streams, as a build has them; ViT-B/16 in fp16, compiled.
Neither waits for the other here, so this says what the GPU does where both have always something to do.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from benchmarks import photographs
from benchmarks.machine import machine
from benchmarks.vits import vit
from index_builder.config import resolved_device
from index_builder.jpegs import decode
from index_builder.preparing import event

_BEHIND = 2  # batches that a thread has asked for and not waited for


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    batch_size: int = 256
    """Pictures decoded together."""
    encoded: int | None = None
    """Pictures encoded together; None: as many."""
    waited: bool = False
    """Whether each batch of the encoder is waited for, so that the GPU pauses between them."""
    seconds: float = 3.0
    """Of each measurement."""
    device: str = "auto"
    """cpu, cuda or auto."""


def main(settings: Settings) -> None:
    """Prints pictures a second."""
    device = torch.device(resolved_device(settings.device))  # type: ignore[arg-type]
    sizes = {"decoded": settings.batch_size, "encoded": settings.encoded or settings.batch_size}
    work = {
        "decoded": decoding(sizes["decoded"], device),
        "encoded": encoding(sizes["encoded"], device, waited=settings.waited),
    }
    how = ", each waited for" if settings.waited else ""
    print(f"machine: {machine()}; {sizes['decoded']} decoded, {sizes['encoded']} encoded together{how}")
    for names in (["decoded"], ["encoded"], ["decoded", "encoded"]):
        rates = at_once({name: work[name] for name in names}, device, settings.seconds)
        print("  ".join(f"{name} {sizes[name] * rate:8.0f}/s" for name, rate in rates.items()), flush=True)


def decoding(n: int, device: torch.device) -> Callable[[], object]:
    """Decodes n JPEGs of many sizes."""
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(photographs.folder_of(Path(folder) / "jpegs", n, 64, mixed=True).iterdir())
        coded = [torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8) for path in paths]
    return lambda: decode(coded, device)


def encoding(n: int, device: torch.device, *, waited: bool) -> Callable[[], object]:
    """Encodes n pictures, and waits for them or not."""
    on_gpu = device.type == "cuda"
    clip = vit(str(device), "fp16" if on_gpu else "fp32")
    if on_gpu:
        clip.compile(n)
    side = clip.preprocessing.crop
    pixels = torch.randint(0, 256, (n, side, side, 3), dtype=torch.uint8, device=device)

    def encode() -> object:
        made = clip.embed_pixels(pixels)
        if waited and (done := event(device)):
            done.synchronize()
        return made

    return encode


def at_once(work: dict[str, Callable[[], object]], device: torch.device, seconds: float) -> dict[str, float]:
    """How often each of these is done in a second, all of them at the same time, each in a thread and on a stream."""
    done = dict.fromkeys(work, 0)
    ready, over = threading.Barrier(len(work) + 1), threading.Event()

    def again(name: str) -> None:
        with torch.cuda.stream(torch.cuda.Stream(device) if device.type == "cuda" else None):
            work[name]()
            asked: deque[tuple[torch.cuda.Event | None, object]] = deque()
            ready.wait()
            while not over.is_set():
                made = work[name]()
                asked.append((event(device), made))
                if len(asked) > _BEHIND and (earlier := asked.popleft()[0]):
                    earlier.synchronize()
                done[name] += 1

    threads = [threading.Thread(target=again, args=(name,)) for name in work]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    time.sleep(seconds)
    over.set()
    taken, counted = time.perf_counter() - began, dict(done)
    for thread in threads:
        thread.join()
    return {name: n / taken for name, n in counted.items()}


if __name__ == "__main__":
    main(tyro.cli(Settings))
