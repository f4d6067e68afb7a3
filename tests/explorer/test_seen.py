"""What of a picture the encoder sees, by hand."""

from __future__ import annotations

import io
from contextlib import nullcontext

import pytest
from PIL import Image

from explorer.sections.inspection import uploaded_picture
from explorer.seen import seen_as, seen_part
from explorer.uploads import encode_upload
from explorer.views.inspection import build_store_picture
from sae_core import LatentStore
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.pictures import Picture
from tests.explorer.conftest import html_of, run_page

_CHANNELS = (0.5, 0.5, 0.5)
SHORTEST = Preprocessing(resize=224, crop=224, mean=_CHANNELS, std=_CHANNELS)
IMAGENET = Preprocessing(resize=256, crop=224, mean=_CHANNELS, std=_CHANNELS)
SQUASH = Preprocessing(resize=224, crop=224, mode="squash", mean=_CHANNELS, std=_CHANNELS)


@pytest.mark.parametrize(
    ("preprocessing", "size", "said"),
    [
        (SHORTEST, (600, 400), "only the middle, 400 × 400 pixels"),
        (SHORTEST, (400, 1_000), "only the middle, 400 × 400 pixels"),
        (SHORTEST, (4_000, 20), "only the middle, 20 × 20 pixels, enlarged 11 times"),
        (SHORTEST, (16, 16), "all of it, enlarged 14 times"),
        (SHORTEST, (1_000, 1_000), ""),
        (SHORTEST, (440, 400), ""),  # nine tenths
        (IMAGENET, (500, 500), ""),  # the usual crop: seven eighths
        (IMAGENET, (2_000, 1_000), "only the middle, 875 × 875 pixels"),
        (SQUASH, (600, 400), ""),
    ],
)
def test_only_what_is_cut_or_enlarged_is_said(preprocessing: Preprocessing, size: tuple[int, int], said: str) -> None:
    assert seen_part(preprocessing, *size) == said


def test_it_is_said_of_uploads_and_of_the_stores_pictures(store: LatentStore) -> None:
    encoder, data = store.load_encoder(), io.BytesIO()
    Image.new("RGB", (600, 60), (128, 128, 128)).save(data, "PNG")
    upload = encode_upload(encoder.preprocessing, lambda: nullcontext(encoder), "wide.png", data.getvalue())
    assert upload.part.startswith("only the middle, 60 × 60 pixels")
    assert f"<dt>CLIP sees</dt><dd>{upload.part}</dd>" in uploaded_picture(upload, 0)
    record = store.image(0)
    facts = dict(build_store_picture(store, 0).facts)
    assert facts.get("CLIP sees", "") == seen_part(encoder.preprocessing, record.width, record.height)


def test_transparency_and_animation_are_told_of_an_upload(store: LatentStore) -> None:
    encoder, data = store.load_encoder(), io.BytesIO()
    frames = [Image.new("RGBA", (40, 40), (255, 0, 0, alpha)) for alpha in (0, 255)]
    frames[0].save(data, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    upload = encode_upload(encoder.preprocessing, lambda: nullcontext(encoder), "moving.webp", data.getvalue())
    assert upload.part == "what is transparent as white; the first frame or page of several"
    assert f"<dt>CLIP sees</dt><dd>{upload.part}</dd>" in uploaded_picture(upload, 0)
    both = Picture(Image.new("RGB", (600, 400)), on_white=True)
    assert seen_as(SHORTEST, both) == ("only the middle, 400 × 400 pixels", "what is transparent as white")
    assert seen_as(SHORTEST, Picture(Image.new("RGB", (400, 400)))) == ()


@pytest.mark.parametrize(("page", "params"), [("latents", {}), ("pictures", {"all_of": "1"})])
def test_results_have_a_heading_of_their_page(shown: LatentStore, page: str, params: dict[str, str]) -> None:
    assert html_of(run_page(page, **params)).count("<h1") == 1
