"""Names' words through the text tower, padded and not: `python -m benchmarks.short_texts`."""

from __future__ import annotations

import statistics
import time

import torch
import tyro
from torch.nn import functional as F

from benchmarks.machine import machine
from benchmarks.vits import vit
from sae_core import ClipEncoder
from sae_core.references import WORDS


def main(rounds: int = 3, words: int = 512) -> None:
    """Prints how many times as fast words are without their padding, and how far the embeddings lie apart."""
    texts = WORDS.read_text(encoding="utf-8").split("\n")[:words]
    print(f"{machine()}; {words} words")
    for name, clip in (("demo", ClipEncoder.load("demo")), ("ViT-B/16, random weights", vit())):
        turns = [one_round(clip, texts) for _ in range(rounds)]
        times = statistics.median(turn[0] for turn in turns)
        print(f"  {name}: {times:.1f} times as fast as padded; largest difference {max(turn[1] for turn in turns):.1g}")


def one_round(clip: ClipEncoder, texts: list[str]) -> tuple[float, float]:
    """The ratio of times, and the largest difference of a coordinate."""
    began = time.perf_counter()
    with torch.no_grad():
        tokens = clip.tokenizer(texts).split(256)
        padded = F.normalize(torch.cat([clip.model.encode_text(batch) for batch in tokens]), dim=-1)
    turned = time.perf_counter()
    short = clip.encode_texts(texts)
    ended = time.perf_counter()
    return (turned - began) / (ended - turned), float((short - padded).abs().max())


if __name__ == "__main__":
    tyro.cli(main)
