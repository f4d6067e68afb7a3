"""Addresses: every page and route answers any query string, and gives nothing of it back as markup."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, quote, urlencode
from zlib import crc32

from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from benchmarks.fuzzing.base_store import base_store
from benchmarks.fuzzing.target import Fault, Target
from explorer.routes import routes
from explorer.stores import HIDE_VARIABLE, IMAGES_VARIABLE, STORE_VARIABLE, current_store
from sae_core.references import REPOSITORY_ROOT

_MARKUP = "<x-fuzz a='\">"
_PAGES = ("home", "latents", "latent", "map", "pictures", "inspect", "compare", "spans", "list", "notes", "quality")
# V stands for the store's version.
_ROUTES = (
    "thumb/V/3", "thumb/V/", "points/V", "refs/V", "tip/V/3", "export/latents.csv", "export/latents.json",
    "export/notes.json", "api/store", "api/latents", "api/latents/3", "api/latents/3/gallery", "api/latents/3/similar",
    "api/images", "api/images/3", "api/images/3/nearest", "api/search",
)  # fmt: skip
_NAMES = (
    "latent", "latents", "image", "label", "q", "text", "sort", "view", "show", "page", "seed", "color", "of",
    "with", "where", "to", "title", "region", "prompt", "origin", "n", "k", "method", "list_title", "j", "heads",
    "edit", "deletion", "centred", "axes", "add", "a", "b", "x", "y", "limit", "offset", "camera", "min", "max",
)  # fmt: skip
_VALUES = (
    "0", "3", "47", "48", "-1", "1e9", "99999999999999999999", "1.5", "nan", "inf", "٣", "", " ", "\0", "3,4,5", "3:0",
    "3:0.5,4:nan", "label:class 1", "image:3", "latent:3", "text:red", "0.1,0.1,0.5,0.5", "1,0,0,1", "rare", "map",
    _MARKUP, "\ud800", "ö", "../../etc/passwd", "x" * 999, ",".join(map(str, range(400))), "[[[[", "%", "'", '"', "\\",
)  # fmt: skip


class Queries(Target):
    """One address: `PAGE?QUERY`, a page by Streamlit's own runner, a route by Starlette's client."""

    max_bytes = 8_192

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        os.environ |= {STORE_VARIABLE: str(base_store(workspace)), "SPARSIGHT_NOTES": str(workspace / "notes.sqlite")}
        os.environ.pop(HIDE_VARIABLE, None)
        os.environ.pop(IMAGES_VARIABLE, None)
        os.environ["SPARSIGHT_API_RATE"] = "1000000/second"
        self._version = current_store().version
        self._client = TestClient(Starlette(routes=routes()), base_url="http://localhost")

    def seeds(self) -> Mapping[str, bytes]:
        """Every page and route, bare and with what it understands."""
        bare = {place.replace("/", "_"): place.encode() for place in (*_PAGES, *_ROUTES)}
        return bare | {
            "one-latent": b"latent?latent=3&view=quantiles&seed=2",
            "edited": b"inspect?image=3&edit=3:0,4:0.5&where=3",
            "compared": b"compare?image=3&to=4",
            "span": b"spans?latents=1,2,3&method=pca&axes=1,0,0,1",
            "found": b"latents?q=red&sort=rare&page=2",
            "by-meaning": b"latents?text=red",
            "pictures-of": b"pictures?latents=1,2&label=0&with=3",
        }

    def run(self, data: bytes) -> str:
        """The kind of place, and what it answered."""
        place, _, query = data.decode("utf-8", "replace").partition("?")
        params = parse_qs(query, keep_blank_values=True, errors="replace")
        if place not in _PAGES and "/" not in place:  # changed beyond recognition
            place = _PAGES[crc32(place.encode()) % len(_PAGES)]
        if place in _PAGES:
            return f"{place}: {self._page(place, params)}"
        answer = self._client.get("/" + quote(place.replace("V", self._version)), params=params)
        if answer.status_code == 500 or (_MARKUP in answer.text and "html" in answer.headers.get("content-type", "")):
            raise Fault(f"{answer.status_code} {answer.text[:200]}")
        known = place if place in _ROUTES else "elsewhere"
        return f"{known}: {answer.status_code}"

    def mutate(self, data: bytes, random: Random) -> bytes:
        """Another place, a parameter more or less, or another value."""
        place, _, query = data.decode("utf-8", "replace").partition("?")
        params = parse_qs(query, keep_blank_values=True, errors="replace")
        if random.random() < 0.2:
            place = random.choice((*_PAGES, *_ROUTES))
        for _ in range(random.choice((1, 1, 2, 3))):
            name = random.choice((*params, *_NAMES))
            params[name] = [random.choice(_VALUES) for _ in range(random.choice((1, 1, 1, 2)))]
        if params and random.random() < 0.2:
            params.pop(random.choice(list(params)))
        return f"{place}?{urlencode(params, doseq=True, errors='surrogatepass')}".encode()

    def _page(self, name: str, params: Mapping[str, list[str]]) -> str:
        app = AppTest.from_file(str(REPOSITORY_ROOT / "explorer" / "main.py"), default_timeout=60)
        if name != "home":
            app.switch_page(f"../pages/{name}.py")
        for key, values in params.items():
            app.query_params[key] = values
        app.run()
        if app.exception:
            raise Fault(f"{app.exception[0].message}\n{''.join(app.exception[0].stack_trace)}")
        html = "\n".join(str(getattr(element, "value", "")) for element in app.get("html"))
        if "<x-fuzz" in html:
            raise Fault("markup of the address came back")
        return "refused" if 'class="sp-note sp-failed' in html else "drawn"


def make(workspace: Path) -> Target:
    """The target."""
    return Queries(workspace)
