"""Trunk features of pictures and of random crops and flips of them, computed once: the trunk is locked."""

from __future__ import annotations

import glob
import io
import json
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import timm
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from index_builder.demo.packages import TRUNK

TRUNK_NAME = "tf_efficientnet_lite0"
N_FEATURES = 1280
_SIDE = 224
_CROP_SIDE = 176  # of the later crops: half the work, and pictures of another scale
_N_FULL = 4  # views in full size
_BATCH = 64


@dataclass(frozen=True)
class Pictures:
    """The pictures of the tar with their facts, in the tar's order."""

    keys: list[str]
    facts: list[dict[str, str]]
    webp: list[bytes]

    @classmethod
    def read(cls, path: Path) -> Pictures:
        """Reads a tar whose samples are `KEY.json` followed by `KEY.webp`."""
        keys, facts, webp = [], [], []
        with tarfile.open(path) as tar:
            for member in tar:
                handle = tar.extractfile(member)
                data = handle.read() if handle else b""
                if member.name.endswith(".json"):
                    keys.append(member.name.removesuffix(".json"))
                    facts.append(json.loads(data))
                else:
                    webp.append(data)
        return cls(keys, facts, webp)


def load_trunk(scratch: Path) -> nn.Module:
    """tf_efficientnet_lite0 with the package's weights: other names, but the same order and shapes."""
    trunk = timm.create_model(TRUNK_NAME, pretrained=False)
    found = glob.glob(str(TRUNK.folder(scratch) / "**" / "*.pth"), recursive=True)
    weights = torch.load(found[0], map_location="cpu", weights_only=True)
    names = list(trunk.state_dict())
    if len(names) != len(weights):
        raise ValueError(f"{found[0]} holds {len(weights)} weights; {TRUNK_NAME} has {len(names)}")
    trunk.load_state_dict(dict(zip(names, weights.values(), strict=True)))
    return trunk.eval().requires_grad_(False)


def classifier(scratch: Path) -> nn.Linear:
    """The trunk's own ImageNet classifier: features -> 1000 logits, the teacher of the text tower."""
    linear = load_trunk(scratch).get_submodule("classifier")
    assert isinstance(linear, nn.Linear)
    return linear


class Trunk:
    """The compiled trunk without its classifier."""

    def __init__(self, scratch: Path) -> None:
        trunk = load_trunk(scratch).to(memory_format=torch.channels_last)
        trunk.reset_classifier(0)  # type: ignore[operator]
        self._run = torch.compile(trunk, dynamic=False, options={"freezing": True})  # twice as fast on a CPU

    @torch.inference_mode()
    def features(self, views: Iterator[Image.Image]) -> Float[np.ndarray, "n 1280"]:
        """Pooled features of RGB pictures."""
        out = []
        for chunk in tqdm(batched(views, _BATCH), desc="batches", mininterval=20):
            tensors = [to_tensor(picture) for picture in chunk]
            batch = torch.zeros(_BATCH, *tensors[0].shape)  # full batches only: one graph is compiled
            batch[: len(chunk)] = torch.stack(tensors)
            found = self._run(batch.contiguous(memory_format=torch.channels_last))
            out.append(found[: len(chunk)].numpy())
        return np.concatenate(out)


def batched(items: Iterator[Image.Image], n: int) -> Iterator[list[Image.Image]]:
    """Lists of n items, the last one shorter."""
    while chunk := list(islice(items, n)):
        yield chunk


def to_tensor(picture: Image.Image) -> Float[Tensor, "3 side side"]:
    """What the encoder's own preprocessing gives: short side to 224, centre crop, mean = std = 0.5.

    Views are taken as they are, in either size.
    """
    if picture.size not in ((_SIDE, _SIDE), (_CROP_SIDE, _CROP_SIDE)):
        scale = _SIDE / min(picture.size)
        size = (int(picture.width * scale + 1e-6), int(picture.height * scale + 1e-6))
        left, top = round((size[0] - _SIDE) / 2), round((size[1] - _SIDE) / 2)
        picture = picture.resize(size, Image.Resampling.BICUBIC).crop((left, top, left + _SIDE, top + _SIDE))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1


def view(webp: Sequence[bytes], number: int) -> Iterator[Image.Image]:
    """View 0 is the whole picture; the others are random crops, every second one flipped."""
    rng = np.random.default_rng(number)
    for data in webp:
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        crop = _random_crop(picture, rng, _SIDE if number < _N_FULL else _CROP_SIDE) if number else picture
        yield crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if number % 2 else crop


def _random_crop(picture: Image.Image, rng: np.random.Generator, side: int) -> Image.Image:
    area, aspect = rng.uniform(0.3, 1.0), np.exp(rng.uniform(-0.25, 0.25))
    width = min(picture.width, picture.width * np.sqrt(area * aspect))
    height = min(picture.height, picture.height * np.sqrt(area / aspect))
    left, top = rng.uniform(0, picture.width - width), rng.uniform(0, picture.height - height)
    box = (left, top, left + width, top + height)
    return picture.resize((side, side), Image.Resampling.BICUBIC, box=box)


def cached_features(scratch: Path, tar: Path, n_views: int) -> Float[np.ndarray, "n_views n_pictures 1280"]:
    """The features of a tar's pictures, view by view; what the scratch folder holds is not computed again."""
    pictures = Pictures.read(tar)
    folder = scratch / f"features-{len(pictures.keys)}"
    folder.mkdir(parents=True, exist_ok=True)
    trunk = None
    for number in range(n_views):
        path = folder / f"view-{number}.npy"
        if not path.exists():
            trunk = trunk or Trunk(scratch)
            part = path.with_suffix(f".{os.getpid()}.npy")
            np.save(part, trunk.features(view(pictures.webp, number)))
            part.replace(path)
    return np.stack([np.load(folder / f"view-{number}.npy") for number in range(n_views)])
