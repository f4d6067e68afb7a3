"""Our whole build beside clip-retrieval's inference: `python -m benchmarks.clip_retrieval --python OTHER/bin/python`.

OTHER is a virtual environment with clip-retrieval and the same torch as here (`make bench` makes one); its pinned
packages do not fit ours. Both are run as their users run them, on the same folder of made-up photographs and the same
ViT-B/16 with random weights, on as many pictures as `few` and as `many`. The difference is the work on pictures; what
is left is the start, where clip-retrieval loads and warms its model twice and we make galleries, maps and indexes.
clip-retrieval writes embeddings only; ours come with codes, thumbnails, galleries, names and FAISS.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from benchmarks import photographs
from benchmarks.machine import machine
from benchmarks.vits import NAME, saved_models

_THEIRS = (
    "import sys; from clip_retrieval.clip_inference.main import main; "
    "main(input_dataset=sys.argv[1], output_folder=sys.argv[2], clip_model=sys.argv[3], enable_text=False, "
    "input_format='files', batch_size=int(sys.argv[4]), num_prepro_workers=int(sys.argv[5]))"
)


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    python: Path
    """Python of the environment that has clip-retrieval."""
    few: int = 128
    """Pictures of the smaller folder."""
    many: int = 512
    """Pictures of the larger one."""
    rounds: int = 1
    """Rounds in turns; medians are printed."""
    batch_size: int = 256
    """clip-retrieval's; 256 is its default."""
    prepro_workers: int = 4
    """clip-retrieval's; 4 is its default."""


def main(settings: Settings) -> None:
    """Prints seconds of the larger folder and the pictures a second of what it has more than the smaller one."""
    print(f"{machine()}; clip-retrieval: batches of {settings.batch_size}, {settings.prepro_workers} workers")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights, sae = saved_models(folder)
        sizes = {n: photographs.folder_of(folder / str(n), n) for n in (settings.few, settings.many)}
        encoder = f"{NAME}:{weights}"
        takers = {
            "clip-retrieval": lambda n: seconds(theirs(settings, sizes[n], folder / fresh(), weights)),
            "ours, fp32": lambda n: seconds(ours(sizes[n], folder / fresh(), encoder, sae, "fp32")),
            "ours, bf16": lambda n: seconds(ours(sizes[n], folder / fresh(), encoder, sae, "bf16")),
        }
        taken = [
            {name: (take(settings.few), take(settings.many)) for name, take in takers.items()}
            for _ in range(settings.rounds)
        ]
    show(taken, settings.many - settings.few)


def show(taken: list[dict[str, tuple[float, float]]], n_more: int) -> None:
    """A line for each, as a ratio to clip-retrieval of the same round."""
    theirs_name = "clip-retrieval"
    for name in taken[0]:
        rate = statistics.median(n_more / (turn[name][1] - turn[name][0]) for turn in taken)
        rates = [(turn[theirs_name][1] - turn[theirs_name][0]) / (turn[name][1] - turn[name][0]) for turn in taken]
        whole = statistics.median(turn[theirs_name][1] / turn[name][1] for turn in taken)
        print(
            f"  {name:15} {rate:6.2f} pictures a second, {statistics.median(rates):.2f} of clip-retrieval's; "
            f"the whole command {statistics.median(turn[name][1] for turn in taken):.0f} s, {whole:.2f} times as fast"
        )


def fresh() -> str:
    """A name that was not used before."""
    return f"out-{time.monotonic_ns()}"


def theirs(settings: Settings, images: Path, out: Path, weights: Path) -> list[str]:
    """clip-retrieval's inference."""
    asked = [str(images), str(out), f"open_clip:{NAME}/{weights}", settings.batch_size, settings.prepro_workers]
    return [str(settings.python), "-c", _THEIRS, *map(str, asked)]


def ours(images: Path, out: Path, encoder: str, sae: Path, precision: str) -> list[str]:
    """The builder, from files to a published store."""
    named = {"--images": images, "--encoder": encoder, "--sae": sae, "--out": out, "--precision": precision}
    asked = [str(part) for pair in named.items() for part in pair]
    return [sys.executable, "-m", "index_builder", "build", *asked]


def seconds(command: list[str]) -> float:
    """Of a command, which must succeed."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TQDM_DISABLE": "1"}, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])}: {done.stderr[-2000:]}")
    return time.perf_counter() - began


if __name__ == "__main__":
    main(tyro.cli(Settings))
