"""The app's addresses. They are relative, and hold the whole state of a view."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

HOME, LATENTS, LATENT, INSPECT = "./", "latents", "latent", "inspect"


def latents_url(params: Mapping[str, object] | None = None, page: int = 1) -> str:
    """The grid of latents, filtered and sorted as the parameters say."""
    return _url(LATENTS, {**(params or {}), "page": page if page > 1 else None})


def latent_url(latent: int, page: int = 1) -> str:
    """One latent; `page` counts its gallery's pages from 1."""
    return _url(LATENT, {"latent": latent, "page": page if page > 1 else None})


def inspect_url(image_id: int | None = None) -> str:
    """One picture of the store, or the place to try one's own."""
    return _url(INSPECT, {"image": image_id})


def thumbnail_url(version: str, image_id: int) -> str:
    """A picture's file; the store's version makes it cacheable for ever."""
    return f"thumb/{version}/{image_id}"


def _url(path: str, params: Mapping[str, object]) -> str:
    said = {key: value for key, value in params.items() if value not in (None, "")}
    return f"{path}?{urlencode(said)}" if said else path
