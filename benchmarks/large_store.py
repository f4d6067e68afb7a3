"""A store of ImageNet's size without CLIP or pictures to encode: `python -m benchmarks.large_store --out STORE`.

Embeddings are made from an SAE's own directions: each image is a few latents of its class and a few of anybody's,
popular ones far more often (Zipf), so that densities are as heavy-tailed as a real SAE's. Codes are then the SAE's, and
everything else is what the builder's own analyses make of them. Thumbnails are the demonstration's, over and over.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import tyro
from numpy.lib.format import open_memmap
from torch.nn import functional as F

from benchmarks.memory import peak
from index_builder.analysis import analyse
from index_builder.assemble import ImageRows
from index_builder.labels import write_labels
from index_builder.publish import file_info, publish, versions
from sae_core import LatentStore
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.references import REPOSITORY_ROOT
from sae_core.sae.checkpoint import sae_fingerprint, save_sae
from sae_core.sae.config import SAEConfig
from sae_core.sae.topk import TopKSAE
from sae_core.store import layout
from sae_core.store.manifest import EncoderInfo, Manifest, ReportCard, SAEInfo, SourceInfo

_CHUNK = 8_192
_CONE = 0.75  # weight of the part that all embeddings share: random pairs have a cosine around 0.4, as CLIP's
_OF_CLASS, _OF_ANYBODY, _NOISE = 10, 8, 0.35
_CLASS_LATENTS = 40
_N_PICTURES = 997


@dataclass(frozen=True)
class Settings:
    """What is made."""

    out: Path
    """The store to write."""
    images: int = 1_280_000
    """Number of images."""
    latents: int = 4_096
    """Number of latents."""
    k: int = 16
    """Activations kept per image."""
    d_embed: int = 512
    """Width of embeddings."""
    classes: int = 1_000
    """Number of labels."""


def main(settings: Settings) -> None:
    """Makes the store, telling how long each part took, and the memory of all."""
    with peak() as most:
        _make(settings)
    print(f"{most[0]:,.0f} MB of memory at most, without what is mapped")


def _make(settings: Settings) -> None:
    root = settings.out.with_name(settings.out.name + ".building")
    root.mkdir(parents=True)
    (root / "codes").mkdir()
    world = World(settings)
    started = time.monotonic()

    def step(name: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {name}", flush=True)

    step("embeddings and codes")
    _write_images(root, settings)
    _write_codes(root, settings, world)
    step("thumbnails")
    _write_thumbnails(root, settings.images)
    pq.write_table(layout.REJECT_SCHEMA.empty_table(), root / layout.REJECTS)
    write_labels(root)
    save_sae(world.sae, root / "sae")
    card = analyse(root, world.sae, world.encode_texts, step)
    step("hashes")
    publish(root, _manifest(root, settings, world.sae, card), settings.out)
    step(f"done: {settings.out}")


class World:
    """The SAE and the classes that images are made of; everything seeded."""

    def __init__(self, settings: Settings) -> None:
        rng = np.random.default_rng(0)
        n, d = settings.latents, settings.d_embed
        self.directions = _unit(rng.standard_normal((n, d)))
        self.cone = _CONE * _unit(rng.standard_normal((1, d)))[0]
        popularity = 1 / (10 + rng.permutation(n))
        self.popularity = popularity / popularity.sum()
        self.classes = np.stack(
            [rng.choice(n, min(_CLASS_LATENTS, n), replace=False, p=self.popularity) for _ in range(settings.classes)]
        )
        self.sae = TopKSAE(SAEConfig(d_embed=d, n_latents=n, k=settings.k, decoder_bias=True))
        self.sae.W_enc.data = torch.from_numpy(self.directions.T.copy())
        self.sae.W_dec.data = torch.from_numpy(self.directions)
        self.sae.b_enc.data = torch.from_numpy(-self.directions @ self.cone)
        assert self.sae.b_dec is not None
        self.sae.b_dec.data = torch.from_numpy(self.cone)

    def embeddings(self, first_id: int, labels: np.ndarray) -> np.ndarray:
        """Unit embeddings of the next images, given their labels."""
        rng = np.random.default_rng([1, first_id])
        n, width = len(labels), self.classes.shape[1]
        chosen = np.argpartition(rng.random((n, width)), _OF_CLASS, axis=1)[:, :_OF_CLASS]
        of_class = np.take_along_axis(self.classes[labels], chosen, axis=1)
        of_anybody = rng.choice(len(self.popularity), (n, _OF_ANYBODY), p=self.popularity)
        latents = torch.from_numpy(np.concatenate([of_class, of_anybody], axis=1))
        strengths = torch.from_numpy(0.25 * rng.lognormal(0, 0.5, latents.shape).astype(np.float32))
        x = F.embedding_bag(latents, self.sae.W_dec, per_sample_weights=strengths, mode="sum").numpy()
        x += self.cone + _NOISE * _unit(rng.standard_normal(x.shape))
        return _unit(x)

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """A class's title is the mean of its latents; any other text points anywhere."""
        rows = []
        for text in texts:
            rng = np.random.default_rng(list(text.encode()))
            noise = rng.standard_normal(self.directions.shape[1])
            number = text.removeprefix("class ")
            known = number.isdigit() and int(number) < len(self.classes)
            rows.append(8 * self.directions[self.classes[int(number)]].sum(0) + noise if known else noise)
        return _unit(np.stack(rows))


def _unit(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x / np.linalg.norm(x, axis=1, keepdims=True), dtype=np.float32)


def labels_of(settings: Settings, start: int, stop: int) -> np.ndarray:
    """Sorted by class, as ImageNet's folders are."""
    return np.arange(start, stop) * settings.classes // settings.images


def chunks(n: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK))


def _write_images(root: Path, settings: Settings) -> None:
    rows = ImageRows(root)
    for start, stop in chunks(settings.images):
        labels = labels_of(settings, start, stop)
        n = stop - start
        columns = [
            [f"class_{label:04d}/{image:08d}.jpg" for image, label in zip(range(start, stop), labels, strict=True)],
            [f"class {label}" for label in labels],
            [f"image {image} of class {label}" for image, label in zip(range(start, stop), labels, strict=True)],
            ["train"] * n,
            [500] * n,
            [375] * n,
            [f"{image:064x}" for image in range(start, stop)],
        ]
        rows.add(pa.table(columns, schema=layout.IMAGE_SCHEMA))
    rows.close()


def _write_codes(root: Path, settings: Settings, world: World) -> None:
    widths = {
        layout.EMBEDDINGS: settings.d_embed,
        layout.CODE_INDICES: settings.k,
        layout.CODE_ACTIVATIONS: settings.k,
    }
    arrays = {
        name: open_memmap(root / name, "w+", layout.DTYPES[name], (settings.images, width))
        for name, width in widths.items()
    }
    for start, stop in chunks(settings.images):
        x = world.embeddings(start, labels_of(settings, start, stop))
        with torch.no_grad():
            codes = world.sae.encode(torch.from_numpy(x))
        arrays[layout.EMBEDDINGS][start:stop] = x
        arrays[layout.CODE_INDICES][start:stop] = codes.indices.numpy()
        arrays[layout.CODE_ACTIVATIONS][start:stop] = codes.activations.numpy()


def _write_thumbnails(root: Path, n_images: int) -> None:
    demo = LatentStore.open(REPOSITORY_ROOT / "stores" / "demo")
    pictures = [found.data for image in range(_N_PICTURES) if (found := demo.thumbnail(image))]
    sizes = np.array([len(picture) for picture in pictures])
    offsets = np.concatenate([[0], np.cumsum(sizes[np.arange(n_images) % len(pictures)])])
    np.save(root / layout.THUMBNAIL_OFFSETS, offsets.astype(layout.DTYPES[layout.THUMBNAIL_OFFSETS]))
    once = b"".join(pictures)
    with open(root / layout.THUMBNAILS, "wb") as file:
        for _ in range(n_images // len(pictures)):
            file.write(once)
        file.write(once[: int(sizes[: n_images % len(pictures)].sum())])


def _manifest(root: Path, settings: Settings, sae: TopKSAE, card: ReportCard) -> Manifest:
    nothing = "0" * 64
    preprocessing = Preprocessing(
        resize=224, crop=224, mode="shortest", interpolation="bicubic", fill=0, mean=(0.5,) * 3, std=(0.5,) * 3
    )
    return Manifest(
        name=f"Synthetic, {settings.images:,} images",
        n_images=settings.images,
        n_rejected=0,
        n_latents=settings.latents,
        k=settings.k,
        d_embed=settings.d_embed,
        source=SourceInfo(kind="folder", name="synthetic", listing_sha256=nothing),
        encoder=EncoderInfo(
            ref="synthetic",
            model="no encoder",
            fingerprint=nothing,
            weights_sha256=nothing,
            preprocessing=preprocessing,
        ),
        sae=SAEInfo(ref="synthetic", fingerprint=sae_fingerprint(sae)),
        report=card,
        thumbnail_side=256,
        versions=versions(),
        files={name: file_info(root / name) for name in (*layout.REQUIRED, *layout.OPTIONAL)},
    )


if __name__ == "__main__":
    main(tyro.cli(Settings))
