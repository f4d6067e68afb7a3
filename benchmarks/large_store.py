"""A store of ImageNet's size without CLIP or pictures to encode: `python -m benchmarks.large_store --out STORE`.

Embeddings are made from an SAE's own directions: each image is a few latents of its class and a few of anybody's,
popular ones far more often (Zipf), so that densities are as heavy-tailed as a real SAE's. Codes are then the SAE's, and
everything else is what the builder's own analyses make of them. Thumbnails are the demonstration's, over and over.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import tyro
from numpy.lib.format import open_memmap

from benchmarks.made_up_images import Settings, World, chunks, labels_of
from benchmarks.memory import peak
from index_builder.analysis import analyse
from index_builder.assemble import ImageRows
from index_builder.labels import write_labels
from index_builder.publish import file_info, publish, versions
from sae_core import LatentStore
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.references import REPOSITORY_ROOT
from sae_core.sae.checkpoint import sae_fingerprint, save_sae
from sae_core.sae.topk import TopKSAE
from sae_core.store import layout
from sae_core.store.manifest import EncoderInfo, Manifest, ReportCard, SAEInfo, SourceInfo

_N_PICTURES = 997


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
