"""Downloads: latents and controls with their figures, latents as a figure for a paper, and people's notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from explorer import notes
from explorer.exports import control_lines, csv_lines, json_pieces
from explorer.notes.exchange import exported
from explorer.sheet_svg import sheet_svg
from explorer.stores import current_store
from explorer.views.collection import MAX_LATENTS, MAX_TITLE
from explorer.views.sheet import MAX_ROWS, build_sheet
from sae_core import LatentStore
from sae_core.errors import SparsightError

_FRESH = {"Cache-Control": "no-store"}  # notes change


def export_routes() -> list[BaseRoute]:
    """Joined to the app's other routes."""
    return [
        Route("/export/latents.csv", latents_csv, methods=["GET"]),
        Route("/export/latents.json", latents_json, methods=["GET"]),
        Route("/export/controls.csv", controls_csv, methods=["GET"]),
        Route("/export/figure.svg", figure_svg, methods=["GET"]),
        Route("/export/notes.json", notes_json, methods=["GET"]),
    ]


def latents_csv(request: Request) -> Response:
    """All figures of the latents in `latents=12,340`, or of all."""
    return _latents(request, "csv", "text/csv", lambda store, latents, _title: csv_lines(store, latents))


def latents_json(request: Request) -> Response:
    """The same as JSON."""
    return _latents(request, "json", "application/json", json_pieces)


def controls_csv(_request: Request) -> Response:
    """What the latents' figures are held against."""
    try:
        store = current_store()
        text = control_lines(store)
    except SparsightError as error:
        return _refused(503, str(error))
    if not text:
        return _refused(404, "this store was built without controls")
    name = _disposition(store.manifest.name, "controls", "csv")
    return Response(text, media_type="text/csv", headers={**_FRESH, **name})


def figure_svg(request: Request) -> Response:
    """The latents in `latents=12,340` with their pictures, one a row, MAX_ROWS at most."""
    try:
        store = current_store()
        latents = _asked(request, store.n_latents)
        if not latents or len(latents) > MAX_ROWS:
            return _refused(400, f"a figure takes 1 to {MAX_ROWS} latents: latents=12,340")
        title = _title(request)
        sheet = build_sheet(store, latents, title)
    except ValueError as error:
        return _refused(400, str(error))
    except SparsightError as error:
        return _refused(503, str(error))
    name = _disposition(store.manifest.name, title or _numbered(latents), "svg")
    pieces = sheet_svg(sheet, store.thumbnail)
    return StreamingResponse(pieces, media_type="image/svg+xml", headers={**_FRESH, **name})


def notes_json(_request: Request) -> Response:
    """Every name and note on this store's SAE."""
    try:
        store = current_store()
        text = exported(store, notes.note_book(store))
    except SparsightError as error:
        return _refused(503, str(error))
    name = _disposition(store.manifest.name, "notes", "json")
    return Response(text, media_type="application/json", headers={**_FRESH, **name})


def _latents(
    request: Request,
    extension: str,
    media_type: str,
    pieces: Callable[[LatentStore, list[int] | None, str], Iterator[str]],
) -> Response:
    """A plain function, as all that read: Starlette runs it, and the stream, in threads."""
    try:
        store = current_store()
        latents = _asked(request, store.n_latents)
        title = _title(request)
        store.latents  # noqa: B018  a broken table must be an answer, not a stream that ends early
    except ValueError as error:
        return _refused(400, str(error))
    except SparsightError as error:
        return _refused(503, str(error))
    name = _disposition(store.manifest.name, title or ("latents" if latents is None else "list"), extension)
    return StreamingResponse(pieces(store, latents, title), media_type=media_type, headers={**_FRESH, **name})


def _numbered(latents: list[int]) -> str:
    """Five at most: it is a file's name."""
    return " ".join(["latent" if len(latents) == 1 else "latents", *map(str, latents[:5])])


def _title(request: Request) -> str:
    return " ".join(request.query_params.get("title", "").split())[:MAX_TITLE]


def _asked(request: Request, n_latents: int) -> list[int] | None:
    """Of `latents=12,340` or `latents=12&latents=340`; None where nothing is said of them.

    Raises ValueError, with a sentence, for what is no list of this store's latents.
    """
    said = request.query_params.getlist("latents")
    if not said:
        return None
    parts = [part.strip() for part in ",".join(said).split(",") if part.strip()]
    if wrong := next((part for part in parts if not re.fullmatch(r"[0-9]{1,9}", part)), None):
        raise ValueError(f"latents= takes numbers with commas between them, not {wrong[:20]!r}")
    latents = list(dict.fromkeys(map(int, parts)))
    if len(latents) > MAX_LATENTS:
        raise ValueError(f"at most {MAX_LATENTS} latents can be asked for by number; leave latents= out to have all")
    if beyond := next((latent for latent in latents if latent >= n_latents), None):
        raise ValueError(f"there is no latent {beyond}; this store has 0 … {n_latents - 1:,}")
    return latents


def _disposition(store_name: str, what: str, extension: str) -> dict[str, str]:
    """A file name that every system takes; the full one, in any script, beside it (RFC 6266)."""
    full = re.sub(r"[^\w]+", "-", f"{store_name} {what}").strip("-_")[:120] or "sparsight"
    ascii_only = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9_-]", "", full)).strip("-") or "sparsight"
    return {
        "Content-Disposition": f'attachment; filename="{ascii_only}.{extension}"; '
        f"filename*=UTF-8''{quote(full, safe='')}.{extension}"
    }


def _refused(status: int, sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", status_code=status, headers=_FRESH)
