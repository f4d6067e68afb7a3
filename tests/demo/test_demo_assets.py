"""The embedded default is whole, within bounds, and its two towers agree."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from index_builder.sources import listing_sha256, open_source
from sae_core.references import DEMO_LISTING

ASSETS = Path(__file__).parents[2] / "assets" / "demo"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def samples() -> dict[str, dict[str, Any]]:
    """Facts and WebP bytes by key."""
    found: dict[str, dict[str, Any]] = {}
    with tarfile.open(ASSETS / "pictures.tar") as tar:
        for member in tar:
            key, _, extension = member.name.partition(".")
            handle = tar.extractfile(member)
            data = handle.read() if handle else b""
            found.setdefault(key, {})[extension] = json.loads(data) if extension == "json" else data
    return found


@pytest.fixture(scope="module")
def encoder() -> tuple[Any, Any, Any]:
    """Model, preprocessing and tokenizer as open_clip loads them."""
    reference = f"local-dir:{ASSETS / 'encoder'}"
    model, _, preprocess = open_clip.create_model_and_transforms(reference)
    return model.eval(), preprocess, open_clip.get_tokenizer(reference)


def test_every_sample_says_what_it_is(samples: dict[str, dict[str, Any]]) -> None:
    assert 4_000 <= len(samples) <= 6_000
    assert list(samples) == sorted(samples)
    for key, sample in samples.items():
        assert key.isascii() and set(sample) == {"json", "webp"}
        facts = sample["json"]
        assert all(facts[name].strip() for name in ("caption", "label", "license", "source")), key


def test_labels_are_a_few_dozen_of_some_size(samples: dict[str, dict[str, Any]]) -> None:
    counts = Counter(sample["json"]["label"] for sample in samples.values())
    assert 24 <= len(counts) <= 60
    assert max(counts.values()) < len(samples) / 4


def test_its_pictures_are_known_by_their_listing() -> None:
    assert listing_sha256(open_source(str(ASSETS / "pictures.tar")).keys) == DEMO_LISTING


def test_the_tar_carries_no_trace_of_the_machine() -> None:
    with tarfile.open(ASSETS / "pictures.tar") as tar:
        assert all((m.mtime, m.uid, m.gid, m.uname) == (0, 0, 0, "") for m in tar)


def test_sizes_are_within_bounds(samples: dict[str, dict[str, Any]]) -> None:
    assert (ASSETS / "pictures.tar").stat().st_size < 25 * MEGABYTE
    assert (ASSETS / "encoder" / "open_clip_model.safetensors").stat().st_size < 25 * MEGABYTE
    for sample in list(samples.values())[::100]:
        assert min(Image.open(io.BytesIO(sample["webp"])).size) <= 224
    for path in (ASSETS / "uploads").iterdir():
        assert min(Image.open(path).size) <= 640


def test_notice_names_every_source(samples: dict[str, dict[str, Any]]) -> None:
    notice = (ASSETS / "NOTICE.md").read_text("utf-8")
    for package in {sample["json"]["source"].split("/assets/")[0].split("/")[0] for sample in samples.values()}:
        assert package in notice
    assert all(path.name in notice for path in (ASSETS / "uploads").iterdir())


@torch.inference_mode()
def test_pictures_and_their_captions_agree(samples: dict[str, dict[str, Any]], encoder: tuple[Any, Any, Any]) -> None:
    model, preprocess, tokenizer = encoder
    some = list(samples.values())[:: len(samples) // 100][:100]
    pictures = [preprocess(Image.open(io.BytesIO(sample["webp"])).convert("RGB")) for sample in some]
    images = F.normalize(model.encode_image(torch.stack(pictures)), dim=-1)
    texts = F.normalize(model.encode_text(tokenizer([sample["json"]["caption"] for sample in some])), dim=-1)
    assert images.shape == texts.shape == (100, 512)
    assert images.dtype == torch.float32 and torch.isfinite(images).all()
    assert (images @ images.T).fill_diagonal_(0).sum() / (100 * 99) < 0.3, "embeddings lie in a narrow cone"
    similarity = texts @ images.T
    rank = (similarity > similarity.diagonal()[:, None]).sum(-1)
    assert (rank < 10).float().mean() > 0.5, "chance is 0.1"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("chelsea.jpg", "a photo of a cat", "a photo of a car"),
        ("coffee.jpg", "a cup of coffee", "a photo of a dog"),
        ("rocket.jpg", "a photo of a missile", "a photo of a banana"),
    ],
)
@torch.inference_mode()
def test_photographs_lie_near_the_right_word(name: str, right: str, wrong: str, encoder: tuple[Any, Any, Any]) -> None:
    model, preprocess, tokenizer = encoder
    image = F.normalize(model.encode_image(preprocess(Image.open(ASSETS / "uploads" / name))[None]), dim=-1)
    texts = F.normalize(model.encode_text(tokenizer([right, wrong])), dim=-1)
    similarity = (image @ texts.T)[0]
    assert similarity[0] > similarity[1]
