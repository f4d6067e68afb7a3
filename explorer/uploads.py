"""A visitor's picture: opened, encoded and kept in the session's memory, never written to disk."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import NamedTuple

import numpy as np
from PIL import Image
from starlette.formparsers import MultiPartParser

from explorer.seen import seen_as
from explorer.views.inspection import Source
from sae_core import ClipEncoder
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.pictures import EXTENSIONS, open_picture

MAX_MEGABYTES = 20
SHOWN_SIDE = 480  # pixels of what is shown back
_COMMON = ("jpg", "jpeg", "png", "webp", "gif")  # named first in the drop zone
_DECODING = BoundedSemaphore(2)  # pictures: the largest takes a gigabyte while it is decoded
TYPES = [*_COMMON, *sorted({extension.removeprefix(".") for extension in EXTENSIONS} - set(_COMMON))]


@dataclass(frozen=True, eq=False)
class Upload:
    """An encoded picture: small enough to keep, so that Back from a latent finds it again."""

    name: str
    size: str  # of the original, in words
    part: str  # of it that the encoder sees, and as what, in words
    data_uri: str
    embedding: np.ndarray
    seen: bytes  # the part around the encoder's crop, PNG


class Reduced(NamedTuple):
    """What the encoder and the page need of a picture: little enough that many can wait with it."""

    middle: Image.Image  # the part around the encoder's crop, at its own scale: it sees the same pixels of it
    small: Image.Image  # what is shown back
    size: str  # of the original, in words
    notes: tuple[str, ...]  # which part of it the encoder sees, and as what, in words; often none


def reduced(preprocessing: Preprocessing, data: bytes) -> Reduced:
    """Raises PictureError where the bytes are no picture. Few are decoded at a time."""
    with _DECODING:
        picture = open_picture(data)
        middle = preprocessing.middle(picture.rgb)
        picture.rgb.thumbnail((SHOWN_SIDE, SHOWN_SIDE))  # in place: a copy of a large one would be 400 MB
        seen = seen_as(preprocessing, picture)
        return Reduced(middle, picture.rgb, f"{picture.width:,} × {picture.height:,} pixels", seen)


def encode_upload(
    preprocessing: Preprocessing, in_turn: Callable[[], AbstractContextManager[ClipEncoder]], name: str, data: bytes
) -> Upload:
    """Raises PictureError where the bytes are no picture; the encoder is waited for only after that."""
    picture = reduced(preprocessing, data)
    with in_turn() as encoder:
        embedding = encoder.encode_images([picture.middle])[0].float().cpu().numpy()
    small, middle = _data_uri(picture.small), _encoded(picture.middle, "PNG")
    return Upload(name, picture.size, "; ".join(picture.notes), small, embedding, middle)


def upload_source(upload: Upload) -> Source:
    """What is inspected, of an upload."""
    return Source("upload", None, upload.embedding, lambda: Image.open(io.BytesIO(upload.seen)).convert("RGB"))


def _data_uri(small: Image.Image) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(_encoded(small, 'JPEG')).decode()}"


def _encoded(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=85, compress_level=1)  # JPEG takes the one, PNG the other
    return buffer.getvalue()


def keep_uploads_in_memory() -> None:
    """Files on their way in stay in memory: Starlette would spool what is above 1 MB to a temporary file.

    0 means never. Streamlit ends a request that grows beyond `server.maxUploadSize`, so memory stays bounded.
    """
    MultiPartParser.spool_max_size = 0
