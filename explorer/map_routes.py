"""What the map's script asks for: the points, the card of one latent, and what several are called.

Card and names hold what people call a latent, which changes: those answers carry a tag and are asked for every time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from explorer.beside import stores_beside
from explorer.stores import current_store
from explorer.views.map import LISTED
from explorer.views.map_points import point_bytes
from explorer.views.map_query import AGAIN
from explorer.views.map_rows import Row, build_rows
from explorer.views.parts import LatentRef
from explorer.views.tips import Tip, build_tip
from sae_core import LatentStore
from sae_core.errors import SparsightError

FOREVER = "public, max-age=31536000, immutable"


def map_routes() -> list[BaseRoute]:
    """Joined to the app's other routes."""
    return [
        Route("/tip/{version}/{latent}", tip, methods=["GET", "HEAD"]),
        Route("/points/{version}", points, methods=["GET", "HEAD"]),
        Route("/refs/{version}", refs, methods=["GET", "HEAD"]),
    ]


def points(request: Request) -> Response:
    """All points with a colour each, as numbers (`point_bytes`). The store's version makes them cacheable for ever.

    But by another SAE: its store may be built again without a change of this address.
    """
    color = request.query_params.get("color", "")
    another = color.startswith(AGAIN)
    try:
        store = current_store()
        found = None
        if store.version == request.path_params["version"]:
            found = point_bytes(store, color, stores_beside(store) if another else None)
    except (SparsightError, OSError):
        found = None
    if found is None:
        return _unknown()
    headers = {"Cache-Control": "private, no-cache" if another else FOREVER}
    return Response(found, media_type="application/octet-stream", headers=headers)


def tip(request: Request) -> Response:
    """One latent: name, figures, addresses of its strongest pictures."""
    said = request.path_params["latent"]
    return _answer(request, [said], lambda store, latents: _tip_json(build_tip(store, latents[0])))


def refs(request: Request) -> Response:
    """How the latents of `latents=12,340` are written, and their pictures; LISTED at most."""
    said = request.query_params.get("latents", "").split(",")[:LISTED]
    return _answer(request, said, lambda store, latents: [_row_json(row) for row in build_rows(store, latents)])


def _answer(request: Request, numbers: list[str], build: Callable[[LatentStore, list[int]], Any]) -> Response:
    """404 for another version, a latent that is not there, or anything that is no number."""
    if not all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        return _unknown()
    try:
        store = current_store()
        if store.version != request.path_params["version"]:
            return _unknown()
        answer = build(store, [int(number) for number in numbers])
    except (SparsightError, IndexError, OSError):
        return _unknown()
    return _tagged(request, answer)


def _tagged(request: Request, answer: Any) -> Response:
    tag = f'"{hashlib.sha256(json.dumps(answer).encode()).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return JSONResponse(answer, headers=headers)


def _unknown() -> Response:
    return JSONResponse({"error": "not in this store"}, status_code=404, headers={"Cache-Control": "no-store"})


def _tip_json(tip: Tip) -> dict[str, Any]:
    pictures = [{"src": tile.src, "alt": tile.caption} for tile in tip.tiles]
    return {**_ref_json(tip.ref), "figures": [list(pair) for pair in tip.figures], "pictures": pictures}


def _row_json(row: Row) -> dict[str, Any]:
    return {**_ref_json(row.ref), "pictures": [tile.src for tile in row.tiles]}


def _ref_json(ref: LatentRef) -> dict[str, Any]:
    return {"latent": ref.latent, "name": ref.name, "text": ref.text, "hint": ref.hint, "dead": ref.dead}
