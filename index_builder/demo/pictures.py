"""The demo's pictures: composited on white, near-duplicates dropped, packed as one deterministic WebDataset tar."""

from __future__ import annotations

import io
import json
import tarfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from index_builder.demo.samples import Sample, clipart_samples, emoji_samples

SIDE = 224  # pixels
_MARGIN = 0.1  # of the side
_QUALITY = 75  # WebP
_MAX_PIXELS = 16_000_000  # a source file has 623 million
_MIN_INK = 0.015  # share of pixels that are not white
_HASH_BITS = 5  # near-duplicates differ in at most this many of 128 dHash bits …
_COLOUR = 5.0  # … and by less than this (of 255) in their coarse colours


@dataclass
class Packed:
    """What went into the tar and why the rest did not."""

    samples: list[Sample] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)


def write_pictures(scratch: Path, out: Path) -> Packed:
    """Writes the tar of all pictures worth having, sorted by key."""
    packed = Packed()
    pictures: dict[str, Image.Image] = {}
    for sample in tqdm(_ordered(scratch), desc="pictures"):
        picture = _accepted(sample, pictures, packed)
        if picture is not None:
            pictures[sample.key] = picture
    kept = _without_near_duplicates(pictures)
    packed.rejected["near-duplicate"] += len(pictures) - len(kept)
    packed.samples = sorted((s for s in _ordered(scratch) if s.key in kept), key=lambda sample: sample.key)
    packed.samples = list({sample.key: sample for sample in packed.samples}.values())
    _write_tar(out, ((sample, pictures[sample.key]) for sample in packed.samples))
    return packed


def _ordered(scratch: Path) -> list[Sample]:
    """Deep folders first: where one picture lies in several, its most specific place wins."""
    clipart = sorted(clipart_samples(scratch), key=lambda sample: (-sample.source.count("/"), sample.source))
    return [*emoji_samples(scratch), *clipart]


def _accepted(sample: Sample, known: dict[str, Image.Image], packed: Packed) -> Image.Image | None:
    if sample.key in known:
        packed.rejected["same key"] += 1
        return None
    try:
        picture = composite(sample.path)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        packed.rejected[f"unreadable ({type(error).__name__})"] += 1
        return None
    if (np.asarray(picture.convert("L")) < 245).mean() < _MIN_INK:
        packed.rejected["nearly blank"] += 1
        return None
    return picture


def composite(path: Path) -> Image.Image:
    """A square RGB picture: the visible part, on white with a margin. Raises ValueError where it is enormous."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is checked right here
        opened = Image.open(path)
    with opened:
        if opened.width * opened.height > _MAX_PIXELS:
            raise ValueError(f"{path.name} has {opened.width} x {opened.height} pixels")
        picture = opened.convert("RGBA")
    box = picture.getchannel("A").point(lambda alpha: 255 * (alpha > 8)).getbbox()
    if box is None:
        raise ValueError(f"{path.name} is fully transparent")
    picture = picture.crop(box)
    inner = round(SIDE * (1 - 2 * _MARGIN))
    scale = inner / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    square = Image.new("RGBA", (SIDE, SIDE), "white")
    square.alpha_composite(picture, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return square.convert("RGB")


def _without_near_duplicates(pictures: dict[str, Image.Image]) -> set[str]:
    """Keys that are not close, in gradients and in coarse colours, to a picture kept before."""
    hashes = np.zeros((len(pictures), 128), dtype=bool)
    colours = np.zeros((len(pictures), 8 * 8 * 3), dtype=np.float32)
    kept: list[int] = []
    for row, picture in enumerate(pictures.values()):
        hashes[row], colours[row] = _gradients(picture), _colours(picture)
        bits = (hashes[kept] != hashes[row]).sum(1)
        distance = np.abs(colours[kept] - colours[row]).mean(1)
        if not ((bits <= _HASH_BITS) & (distance < _COLOUR)).any():
            kept.append(row)
    keys = list(pictures)
    return {keys[row] for row in kept}


def _gradients(picture: Image.Image) -> np.ndarray:
    """dHash in both directions: 128 bits."""
    grey = np.asarray(picture.convert("L").resize((9, 9), Image.Resampling.BOX), dtype=np.int16)
    return np.concatenate([(grey[:8, 1:] > grey[:8, :-1]).ravel(), (grey[1:, :8] > grey[:-1, :8]).ravel()])


def _colours(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.resize((8, 8), Image.Resampling.BOX), dtype=np.float32).ravel()


def _write_tar(out: Path, pictures: Iterable[tuple[Sample, Image.Image]]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(out, "w", format=tarfile.USTAR_FORMAT) as tar:
        for sample, picture in pictures:
            for extension, data in _members(sample, picture):
                info = tarfile.TarInfo(f"{sample.key}.{extension}")  # mtime, uid and gid are 0 by default
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def _members(sample: Sample, picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    facts = {key: getattr(sample, key) for key in ("caption", "label", "license", "source")}
    yield "json", json.dumps(facts, ensure_ascii=False).encode()
    webp = io.BytesIO()
    picture.save(webp, "WEBP", quality=_QUALITY, method=6)
    yield "webp", webp.getvalue()
