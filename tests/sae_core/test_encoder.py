"""The encoder through the real open_clip: references, preprocessing parity, embeddings, fingerprints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from torchvision import transforms

from sae_core import ClipEncoder
from sae_core.encoder.attached_preprocessing import preprocessing_of
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.encoder.reference import EncoderReference
from sae_core.errors import EncoderError
from tests.support.models import make_tiny_clip
from tests.support.pictures import picture


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def encoder(reference: str) -> ClipEncoder:
    return ClipEncoder.load(reference)


def smooth(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2))


def levels(preprocessing: Preprocessing, image: Image.Image, reference: torch.Tensor) -> float:
    """Largest difference to reference pixels in [0, 1], in grey levels."""
    seen = torch.from_numpy(preprocessing.crop_pixels(image).copy()).permute(2, 0, 1)
    return float((seen.double() - reference.double() * 255).abs().max())


@settings(max_examples=40)
@given(width=st.integers(20, 500), height=st.integers(20, 500))
def test_the_presets_crop_is_torchvisions_resize_256_and_centre_crop_224(width: int, height: int) -> None:
    preset = Preprocessing(resize=256, crop=224, mean=(0, 0, 0), std=(1, 1, 1))
    image = smooth(width, height)
    steps = [
        transforms.Resize(256, transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
    ]
    assert levels(preset, image, transforms.Compose(steps)(image)) <= 2.01  # rounding once, not twice


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [(90, 61), (61, 90), (32, 32), (20, 11), (301, 40)])
def test_every_resize_mode_is_open_clips(mode: str, size: tuple[int, int]) -> None:
    ours = Preprocessing(resize=32, crop=32, mode=mode, mean=(0, 0, 0), std=(1, 1, 1))  # type: ignore[arg-type]
    theirs = open_clip.image_transform(32, False, mean=(0.0,) * 3, std=(1.0,) * 3, resize_mode=mode)
    image = smooth(*size)
    assert levels(ours, image, theirs(image)) <= 2.01


@settings(max_examples=60)
@given(
    st.integers(1, 700),
    st.integers(1, 700),
    st.sampled_from(["shortest", "squash", "longest"]),
    st.sampled_from([(32, 32), (40, 32), (26, 32)]),
)
def test_the_middle_is_small_and_shows_the_encoder_the_same(
    width: int, height: int, mode: Literal["shortest", "squash", "longest"], sides: tuple[int, int]
) -> None:
    resize, crop = sides
    seen = Preprocessing(resize=resize, crop=crop, mode=mode, mean=(0.5,) * 3, std=(0.5,) * 3)
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    whole = Image.fromarray(noise)
    middle = seen.middle(whole)
    assert max(middle.size) <= max(sides)
    np.testing.assert_array_equal(seen.crop_pixels(middle), seen.crop_pixels(whole))


def test_normalising_is_on_unit_range() -> None:
    preprocessing = Preprocessing(resize=2, crop=2, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
    pixels = torch.full((1, 2, 2, 3), 255, dtype=torch.uint8)
    torch.testing.assert_close(preprocessing.normalise(pixels)[0, :, 0, 0], torch.tensor([1.0, 3.0, 1.0]))


def test_embeddings_are_unit_deterministic_and_open_clips_own(encoder: ClipEncoder) -> None:
    images = [picture(number)[1] for number in range(5)]
    x = encoder.encode_images(images, batch_size=2)
    assert x.shape == (5, 32) and x.dtype == torch.float32
    torch.testing.assert_close(x.norm(dim=1), torch.ones(5))
    assert torch.equal(x, encoder.encode_images(images, batch_size=2))
    transform = open_clip.image_transform(32, False, mean=(0.5,) * 3, std=(0.5,) * 3)
    theirs = encoder.model.encode_image(torch.stack([transform(image) for image in images]), normalize=True)
    assert torch.cosine_similarity(x, theirs).min() > 0.999


def test_texts_are_unit_and_nothing_is_fine(encoder: ClipEncoder) -> None:
    texts = encoder.encode_texts(["a lemon", "", "a very " * 40 + "long text"])
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    assert encoder.encode_texts([]).shape == encoder.encode_images([]).shape == (0, 32)


def test_fingerprints_tell_weights_and_preprocessing_apart(
    reference: str, encoder: ClipEncoder, tmp_path: Path
) -> None:
    assert ClipEncoder.load(reference).fingerprint == encoder.fingerprint
    other = ClipEncoder.load(make_tiny_clip(tmp_path / "other", seed=1))
    assert other.fingerprint != encoder.fingerprint
    cropped = ClipEncoder.load(reference)
    cropped.preprocessing = preprocessing_of(cropped.model, resize=40)
    assert cropped.fingerprint != encoder.fingerprint
    assert cropped.weights_sha256 == encoder.weights_sha256


def test_an_activation_that_does_not_fit_the_weights_is_refused() -> None:
    with pytest.raises(EncoderError, match="take ViT-B-16-quickgelu:openai"):
        EncoderReference.parse("ViT-B-16:openai")
    with pytest.raises(EncoderError, match="has no weights"):
        EncoderReference.parse("ViT-B-32-quickgelu:laion2b_s34b_b79k")


def test_the_imagenet_preset_carries_activation_and_crop() -> None:
    parsed = EncoderReference.parse("imagenet-vitb16")
    assert (parsed.model, parsed.pretrained, parsed.resize) == ("ViT-B-16-quickgelu", "openai", 256)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ViT-B-32", "names no encoder"),
        ("NoSuchModel:openai", "has no model 'NoSuchModel'"),
        ("ViT-B-32:nosuchtag", "its tags: openai"),
        ("local-dir:/nowhere", "no open_clip_config.json"),
        ("", "names no encoder"),
    ],
)
def test_other_references_are_refused(text: str, said: str) -> None:
    with pytest.raises(EncoderError, match=said):
        EncoderReference.parse(text)


def test_a_folder_without_weights_is_refused_not_run_at_random(tmp_path: Path) -> None:
    folder = Path(make_tiny_clip(tmp_path / "clip").removeprefix("local-dir:"))
    (folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(EncoderError, match="cannot be loaded"):
        ClipEncoder.load(str(folder))


def test_a_picture_that_is_not_square_is_refused(tmp_path: Path) -> None:
    folder = Path(make_tiny_clip(tmp_path / "clip").removeprefix("local-dir:"))
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["image_size"] = [32, 16]
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError):
        ClipEncoder.load(str(folder))


def test_bf16_is_near_fp32_and_the_same_encoder(reference: str, encoder: ClipEncoder) -> None:
    half = ClipEncoder.load(reference, precision="bf16")
    images = [picture(number)[1] for number in range(40)]
    x, y = encoder.encode_images(images), half.encode_images(images)
    assert y.dtype == torch.float32 and not torch.equal(x, y)
    torch.testing.assert_close(y.norm(dim=1), torch.ones(len(images)))
    assert torch.cosine_similarity(x, y).median() > 0.999
    assert half.fingerprint == encoder.fingerprint
    assert torch.equal(half.encode_texts(["a lemon"]), encoder.encode_texts(["a lemon"]))


def test_gradients_and_single_batches_stay_in_fp32_under_bf16(reference: str, encoder: ClipEncoder) -> None:
    half = ClipEncoder.load(reference, precision="bf16")
    pixels = torch.randint(0, 256, (2, 32, 32, 3), generator=torch.Generator().manual_seed(0)).float()
    torch.testing.assert_close(half.embed(pixels), encoder.embed(pixels), atol=1e-5, rtol=0)


def test_a_compiled_encoder_takes_batches_of_one_size(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def compiled(run: Callable[[torch.Tensor], torch.Tensor], **_: object) -> Callable[[torch.Tensor], torch.Tensor]:
        def counted(pixels: torch.Tensor) -> torch.Tensor:
            sizes.append(len(pixels))
            return run(pixels)

        return counted

    pixels = torch.randint(0, 256, (19, 32, 32, 3), dtype=torch.uint8)
    plain, encoder = ClipEncoder.load(reference).encode_pixels(pixels), ClipEncoder.load(reference)
    monkeypatch.setattr(torch, "compile", compiled)
    assert encoder.compile(8)
    torch.testing.assert_close(encoder.encode_pixels(pixels), plain, atol=1e-6, rtol=1e-5)
    assert sizes == [8] * 4
    assert encoder.encode_pixels(pixels[:0]).shape == (0, 32)


def test_an_encoder_that_cannot_be_compiled_stays_as_it_was(
    reference: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> object:
        def never(_: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("Failed to find C compiler")

        return never

    encoder, pixels = ClipEncoder.load(reference), torch.zeros(3, 32, 32, 3, dtype=torch.uint8)
    before = encoder.encode_pixels(pixels)
    monkeypatch.setattr(torch, "compile", fails)
    assert not encoder.compile(8)
    assert "runs slower (Failed to find C compiler)" in caplog.text
    assert torch.equal(encoder.encode_pixels(pixels), before)
