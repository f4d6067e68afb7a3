"""Our own HTTP routes; the JSON API is one of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from explorer import links
from explorer.api import create_api
from explorer.export_routes import export_routes
from explorer.map_routes import map_routes
from explorer.stores import current_store
from explorer.unknown_routes import unknown_routes
from sae_core.errors import SparsightError
from sae_core.store.records import Thumbnail

_ICON = Path(__file__).parent / "static" / "icon.png"
# The store's version is part of the address, so what an address answers never changes.
_FOREVER = "public, max-age=31536000, immutable"


def routes() -> list[BaseRoute]:
    """All routes beside Streamlit's."""
    known = _known()
    to_pages = [Route("/latent/{number}", to_latent), Route("/inspect/{number}", to_picture)]
    return [*known, *unknown_routes(sorted(_parts(known))), *to_pages]


def guarded_parts() -> set[str]:
    """First parts of the paths that show anything of the store; the icon does not."""
    return _parts(_known())


def _known() -> list[BaseRoute]:
    return [
        Route("/thumb/{version}/{image_id}", thumbnail, methods=["GET", "HEAD"]),
        Route("/favicon.png", icon, methods=["GET", "HEAD"]),
        *export_routes(),
        *map_routes(),
        Mount("/api", app=create_api(), name="api"),
    ]


def _parts(known: Iterable[BaseRoute]) -> set[str]:
    paths = {route.path for route in known if isinstance(route, Route | Mount)}
    return {path.split("/")[1] for path in paths} - {"favicon.png"}


def to_latent(request: Request) -> Response:
    """`latent/340`, as people guess it: Streamlit would answer it with a page that stays blank."""
    return _to_page(request, links.LATENT, "latent")


def to_picture(request: Request) -> Response:
    """`inspect/12`, the same for a picture."""
    return _to_page(request, links.INSPECT, "image")


def _to_page(request: Request, page: str, parameter: str) -> Response:
    """To the page with the number as its parameter. The address is relative, so that a proxy's own path stays."""
    said = urlencode({**request.query_params, parameter: request.path_params["number"]})
    return RedirectResponse(f"../{page}?{said}")


def icon(_request: Request) -> Response:
    """The tab's picture, in place of Streamlit's own file.

    Not `page_icon=`: that one lives in a session's media files, and is gone (404) while the page runs again.
    """
    return FileResponse(_ICON, headers={"Cache-Control": "public, max-age=86400"})


def thumbnail(request: Request) -> Response:
    """One packed picture; 404 for another version, a picture that is not there, or anything that is no number.

    A plain function: Starlette runs it in a thread, so a cold disk does not hold up the event loop.
    """
    version, image_id = request.path_params["version"], request.path_params["image_id"]
    if not (picture := _find(version, image_id)):
        return PlainTextResponse("no such picture\n", status_code=404, headers={"Cache-Control": "no-store"})
    etag = f'"{version}-{int(image_id)}"'
    headers = {"ETag": etag, "Cache-Control": _FOREVER}
    if etag in _etags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(picture.data, media_type=picture.media_type, headers=headers)


def _etags(header: str) -> set[str]:
    """Weak tags count too: a proxy that compresses on the way makes them."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def _find(version: str, image_id: str) -> Thumbnail | None:
    if not (image_id.isascii() and image_id.isdigit() and len(image_id) < 19):
        return None
    try:
        store = current_store()
        return store.thumbnail(int(image_id)) if store.version == version else None
    except (SparsightError, IndexError, OSError):
        return None
