"""Many visitors at once: `python -m benchmarks.load`.

Every visitor is a session of its own that browses, searches, uploads pictures and asks for heat maps, with pauses as a
reader makes them. Printed are failures, how long pages took, how evenly the encoder was shared, and the app's memory.
"""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from benchmarks.machine import machine
from benchmarks.served import App, served
from benchmarks.visitor import View, Visitor
from sae_core import LatentStore
from sae_core.references import REPOSITORY_ROOT

_SHARES = {"latents": 30, "latent": 28, "inspect": 12, "search": 8, "upload": 12, "spans": 5, "compare": 3, "map": 2}
_WORDS = ("red", "a dog", "flags", "music", "cat with a hat", "round", "night", "food", "a face", "water")


@dataclass(frozen=True)
class Settings:
    """How many, how long."""

    store: Path = REPOSITORY_ROOT / "stores" / "demo"
    sessions: int = 30
    minutes: float = 10
    pause: float = 5
    """Seconds between two pages, on average."""


@dataclass
class Record:
    """What the visitors met; several threads add to it."""

    views: dict[str, list[View]] = field(default_factory=dict)
    uploads: dict[int, list[float]] = field(default_factory=dict)  # seconds, by visitor
    failures: list[str] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)  # a figure a minute

    def add(self, visitor: int, kind: str, view: View) -> None:
        """One page."""
        self.views.setdefault(kind, []).append(view)
        if kind == "upload":
            self.uploads.setdefault(visitor, []).append(view.server_s)


def main(settings: Settings) -> None:
    """Prints the tables; ends with 1 where anything failed."""
    with served(settings.store) as app:
        record = crowd(app, settings)
    print(f"Measured on {machine()}: {settings.sessions} sessions, {settings.minutes:g} minutes\n")
    print(report(record))
    raise SystemExit(bool(record.failures))


def crowd(app: App, settings: Settings) -> Record:
    """All visitors together."""
    record, ends = Record(), time.monotonic() + 60 * settings.minutes
    visits = [(app, settings, number, ends, record) for number in range(settings.sessions)]
    threads = [threading.Thread(target=_visit, args=visit) for visit in visits]
    for thread in threads:
        thread.start()
    while time.monotonic() < ends:
        record.memory_mb.append(app.memory_mb)
        time.sleep(min(60, max(0.0, ends - time.monotonic())))
    for thread in threads:
        thread.join()
    record.memory_mb.append(app.memory_mb)
    return record


def report(record: Record) -> str:
    """Two tables and the failures."""
    lines = [
        "| page | views | median s | 95th percentile s | longest s | waited for the encoder |",
        "|---|" + "---|" * 5,
    ]
    for kind, views in sorted(record.views.items()):
        seconds = [view.loaded_s for view in views]
        waited = sum(view.waited for view in views) / len(views)
        middle, high = np.percentile(seconds, [50, 95])
        lines.append(f"| {kind} | {len(views)} | {middle:.2f} | {high:.2f} | {max(seconds):.2f} | {waited:.0%} |")
    means = [float(np.mean(seconds)) for seconds in record.uploads.values()]
    if means:
        lines.append(f"\nMean seconds of an upload, by visitor: {min(means):.2f} to {max(means):.2f}")
    memory = ", ".join(f"{mb:,.0f}" for mb in record.memory_mb)
    lines.append(f"\nMemory of the app, MB, minute by minute: {memory}")
    lines.append(f"\nFailures: {len(record.failures)} {dict(Counter(record.failures))}")
    return "\n".join(lines)


def _visit(app: App, settings: Settings, number: int, ends: float, record: Record) -> None:
    rng = np.random.default_rng(number)
    store = LatentStore.open(settings.store)
    visitor = Visitor(app.address)
    kinds, weights = list(_SHARES), np.array(list(_SHARES.values())) / sum(_SHARES.values())
    while time.monotonic() < ends:
        time.sleep(float(rng.exponential(settings.pause)))
        kind = str(rng.choice(kinds, p=weights))
        try:
            record.add(number, kind, _page(visitor, store, kind, rng))
        except Exception as error:
            record.failures.append(f"{kind}: {type(error).__name__}: {error}")
            visitor.close()
            visitor = Visitor(app.address)
    visitor.close()


def _page(visitor: Visitor, store: LatentStore, kind: str, rng: np.random.Generator) -> View:
    latent, image = int(rng.integers(store.n_latents)), int(rng.integers(store.n_images))
    if kind == "upload":
        return visitor.upload(f"mine-{rng.integers(10**9)}.jpg", _photograph(rng))
    asked = {
        "latents": ("latents", f"page={rng.integers(1, store.n_latents // 24)}"),
        "latent": ("latent", f"latent={latent}"),
        "inspect": ("inspect", f"image={image}"),
        "search": ("latents", f"text={rng.choice(_WORDS)} {rng.integers(1000)}".replace(" ", "+")),
        "spans": ("spans", f"of=image:{image}"),
        "compare": ("compare", f"a=image:{image}&b=latents:{latent}"),
        "map": ("inspect", f"image={image}&where={store.code(image).latents[0]}"),
    }
    return visitor.view(*asked[kind])


def _photograph(rng: np.random.Generator) -> bytes:
    """Two megapixels that no other visitor has."""
    small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    small.resize((1600, 1200), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


if __name__ == "__main__":
    main(tyro.cli(Settings))
