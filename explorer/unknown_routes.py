"""What our own addresses answer where nothing is: 404 and a sentence. Streamlit would answer any path with its page."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

_WAY_OUT = "the pages are below /, and api/openapi.json says what a program can ask for"
_NO_PNG = "a figure is drawn as PNG by the browser, with the button beside it; the server has it as SVG:"


def unknown_routes(parts: Iterable[str]) -> list[BaseRoute]:
    """All that begins with one of these parts and is nothing; they stand after the routes that are something."""
    figure = Route("/export/figure.png", no_png, methods=["GET"])
    some = [Route(path, unknown, methods=["GET"]) for part in parts for path in (f"/{part}", f"/{part}/{{rest:path}}")]
    return [figure, *some]


def unknown(_request: Request) -> Response:
    """An address that is none."""
    return _missing(f"nothing has this address; {_WAY_OUT}")


def no_png(request: Request) -> Response:
    """The figure's other format, beside it and with the same latents."""
    asked = request.url.query
    return _missing(f"{_NO_PNG} export/figure.svg{f'?{asked}' if asked else '?latents=12,340'}")


def _missing(sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", status_code=404, headers={"Cache-Control": "no-store"})
