"""The read-only JSON API next to the app, under `/api`; described by `/api/openapi.json`."""

from __future__ import annotations

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from explorer.api import counterparts, duplicates, images, latents, search, telling
from explorer.api.rate import limited
from explorer.turns import BusyError
from sae_core.errors import SparsightError, StoreError, WithheldError

VERSION = "2"


def create_api() -> FastAPI:
    """The application that app.py mounts. No page of documentation: those load their scripts from elsewhere."""
    api = FastAPI(
        title="Sparsight",
        version=VERSION,
        description="What the explorer shows, as JSON. Nothing can be changed through it. Ids of images and latents "
        "are those of the pages; galleries and codes are strongest first.",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(limited)],
    )
    for part in (latents, duplicates, counterparts, telling, images, search):
        api.include_router(part.router)
    api.add_exception_handler(404, _unknown)
    api.add_exception_handler(IndexError, _missing)
    api.add_exception_handler(WithheldError, _withheld)
    api.add_exception_handler(SparsightError, _failed)
    api.add_exception_handler(RequestValidationError, _unreadable)
    return api


def _unreadable(_request: Request, error: Exception) -> JSONResponse:
    """A parameter that is missing or no such value: the first of them, in a sentence."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    said = first["msg"][:1].lower() + first["msg"][1:]
    return JSONResponse({"detail": f"{first['loc'][-1]}: {said}"}, status_code=422)


def _unknown(_request: Request, _error: Exception) -> JSONResponse:
    """No address of the API; what a known one does not have is an IndexError."""
    return JSONResponse({"detail": "nothing has this address; api/openapi.json says what there is"}, status_code=404)


def _missing(_request: Request, error: Exception) -> JSONResponse:
    """A latent or image that does not exist."""
    return JSONResponse({"detail": str(error)}, status_code=404)


def _withheld(_request: Request, error: Exception) -> JSONResponse:
    """On the store's hide-list."""
    return JSONResponse({"detail": str(error)}, status_code=403)


def _failed(_request: Request, error: Exception) -> JSONResponse:
    """No store, a broken one or too many visitors are the server's affair; anything else was asked wrongly."""
    return JSONResponse({"detail": str(error)}, status_code=503 if isinstance(error, StoreError | BusyError) else 422)
