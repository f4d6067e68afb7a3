"""Uploads: bounded, in memory, as the encoder sees them, and one sentence for everything that is no picture."""

from __future__ import annotations

import io
import tempfile
import threading
import time
import weakref
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
from PIL import GifImagePlugin, Image, ImageFile
from starlette.applications import Starlette
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from explorer import uploads
from explorer.uploads import encode_upload, keep_uploads_in_memory, reduced, upload_source
from sae_core import ClipEncoder, LatentStore
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.errors import PictureError
from sae_core.pictures import MAX_PIXELS, Picture, open_picture
from tests.support.pictures import encoded, picture

MEGABYTE = 1024 * 1024


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every temporary file that is made on disk."""
    made: list[str] = []
    real = tempfile.TemporaryFile

    def counted(*args: object, **named: object) -> object:
        made.append("file")
        return real(*args, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(tempfile, "TemporaryFile", counted)
    monkeypatch.setattr(MultiPartParser, "spool_max_size", MEGABYTE)  # Starlette's own, and put back afterwards
    yield made


def send(size: int) -> int:
    """Uploads that many bytes the way Streamlit's route takes them; how many arrived."""

    async def take(request: Request) -> PlainTextResponse:
        form = await request.form()
        file = form["file"]
        assert not isinstance(file, str)
        return PlainTextResponse(str(len(await file.read())))

    client = TestClient(Starlette(routes=[Route("/", take, methods=["PUT"])]))
    return int(client.put("/", files={"file": ("big.png", b"x" * size)}).text)


def test_large_uploads_stay_in_memory(spooled: list[str]) -> None:
    assert send(3 * MEGABYTE) == 3 * MEGABYTE
    assert spooled == ["file"], "what Starlette does by itself, and this test can see"
    keep_uploads_in_memory()
    assert send(19 * MEGABYTE) == 19 * MEGABYTE
    assert spooled == ["file"]


def test_an_upload_keeps_what_the_encoder_sees(store: LatentStore) -> None:
    """The picture that is kept gives the same embedding, and is no larger than the encoder needs."""
    encoder = store.load_encoder()
    for size in ((480, 200), (33, 400), (32, 32), (20, 11)):
        upload = encode_upload(
            encoder.preprocessing, lambda: nullcontext(encoder), "mine.png", encoded(picture(4, size)[1])
        )
        source = upload_source(upload)
        kept = source.picture()
        assert kept.mode == "RGB"
        assert max(kept.size) <= max(encoder.preprocessing.resize, encoder.preprocessing.crop)
        again = encoder.encode_images([kept])[0].numpy()
        assert float(again @ source.embedding) == pytest.approx(1, abs=1e-4)
        assert source.image_id is None


@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
@pytest.mark.parametrize(("resize", "crop"), [(32, 32), (36, 32), (24, 32)])
def test_a_reduced_picture_is_encoded_as_the_whole(mode: Any, resize: int, crop: int) -> None:
    preprocessing = Preprocessing(resize=resize, crop=crop, mode=mode, mean=(0.5,) * 3, std=(0.5,) * 3)
    for number, size in enumerate(((480, 200), (33, 400), (32, 32), (20, 11), (1, 90), (2000, 31), (640, 481))):
        data = encoded(picture(number, size)[1])
        whole, one = open_picture(data), reduced(preprocessing, data)
        np.testing.assert_array_equal(preprocessing.crop_pixels(one.middle), preprocessing.crop_pixels(whole.rgb))
        (small := whole.rgb.copy()).thumbnail((480, 480))
        np.testing.assert_array_equal(one.small, small)
        assert one.size.startswith(f"{size[0]:,} × {size[1]:,}")


def test_few_pictures_are_decoded_at_a_time_and_none_waits_whole(
    store: LatentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for the encoder is small: 64 decoded pictures of the largest size would be 26 GB."""
    encoder, alive, most = store.load_encoder(), [], []

    def open_slowly(data: bytes) -> Picture:
        found = open_picture(data)
        alive.append(weakref.ref(found))
        most.append(sum(one() is not None for one in alive))
        time.sleep(0.02)
        return found

    @contextmanager
    def turn() -> Iterator[ClipEncoder]:
        barrier.wait(20)  # all of them are waiting, so none is being decoded
        assert not [one for one in alive if one() is not None]
        yield encoder

    monkeypatch.setattr(uploads, "open_picture", open_slowly)
    barrier, data = threading.Barrier(8), encoded(picture(4)[1])
    with ThreadPoolExecutor(8) as threads:
        given = [
            threads.submit(encode_upload, encoder.preprocessing, turn, f"{number}.png", data) for number in range(8)
        ]
        assert [one.result().name for one in given] == [f"{number}.png" for number in range(8)]
    assert max(most) <= 2


def animation(n_frames: int) -> bytes:
    """A GIF whose every frame differs, red first."""
    frames = [
        Image.new("RGB", (8, 8), "red"),
        *(Image.new("RGB", (8, 8), (0, n % 256, n // 256)) for n in range(n_frames - 1)),
    ]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def test_of_thousands_of_frames_one_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = animation(3_000)
    seeks: list[int] = []
    seek = GifImagePlugin.GifImageFile.seek
    told = lambda image, frame: (seeks.append(frame), seek(image, frame))  # noqa: E731
    monkeypatch.setattr(GifImagePlugin.GifImageFile, "seek", told)
    assert open_picture(data).rgb.getpixel((0, 0)) == (255, 0, 0)
    assert set(seeks) == {0}, "whether there is a second one is asked of its header"


def bomb(side: int) -> bytes:
    """A PNG of side x side pixels that is a few kilobytes long."""
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG", optimize=True)
    return out.getvalue()


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bomb(20_000)
    assert len(data) < 100_000 and MAX_PIXELS < 20_000**2
    decoded: list[str] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: decoded.append("once"))
    with pytest.raises(PictureError, match="pixels") as caught:
        open_picture(data)
    assert caught.value.reason == "too-large"
    assert decoded == []


def test_a_text_chunk_that_inflates_is_no_way_around() -> None:
    """A PNG with a compressed text of 100 MB: Pillow bounds it, and we say so in one sentence."""
    plain = encoded(picture(0)[1])
    text = b"Comment\0\0" + zlib.compress(b"a" * 100 * MEGABYTE)
    chunk = len(text).to_bytes(4, "big") + b"zTXt" + text + zlib.crc32(b"zTXt" + text).to_bytes(4, "big")
    with pytest.raises(PictureError) as caught:
        open_picture(plain[:33] + chunk + plain[33:])
    assert caught.value.reason == "broken"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<!doctype html><script>alert(1)</script>", "not-a-picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not-a-picture"),
        (b"%PDF-1.7\n", "not-a-picture"),
        (b"PK\x03\x04" + b"\0" * 40, "not-a-picture"),
        (encoded(picture(0, (400, 300))[1], "PNG")[:900], "broken"),
        (encoded(picture(0, (400, 300))[1], "WEBP")[:200], "broken"),
        (animation(5)[:40], "broken"),
    ],
)
def test_hostile_files(store: LatentStore, data: bytes, reason: str) -> None:
    """Refused before any encoder is loaded, whatever they are named."""

    def none() -> None:
        raise AssertionError("the encoder was asked for")

    with pytest.raises(PictureError) as caught:
        encode_upload(store.manifest.encoder.preprocessing, none, "innocent.png", data)  # type: ignore[arg-type]
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


def test_a_single_colour_has_a_code(store: LatentStore) -> None:
    encoder = store.load_encoder()
    upload = encode_upload(
        encoder.preprocessing,
        lambda: nullcontext(encoder),
        "grey.png",
        encoded(Image.new("RGB", (60, 60), (128, 128, 128))),
    )
    assert np.isfinite(upload.embedding).all()
    assert np.linalg.norm(upload.embedding) == pytest.approx(1, abs=1e-4)
