"""What the browser knows of a page's look before Streamlit has drawn anything of it.

The style sheet comes with the page's own first element. Until that is there Streamlit shows what it has already, at
other places: a row of grey bars that jump. So index.html says that the page's part is not seen until the style sheet,
whose rule is the later one, shows it; should it never come, the part is shown all the same.

Before that Streamlit's scripts come, 3 MB: over a slow line half a minute of an empty window, so it says that it loads.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EARLY = b"""<style>
  [data-testid="stMainBlockContainer"] { visibility: hidden; animation: sp-anyway 0s 4s forwards; }
  @keyframes sp-anyway { to { visibility: visible; } }
  #root:empty::before { content: "Sparsight is loading \\2026"; display: block; padding: 6rem 1.5rem;
    text-align: center; font: 1rem system-ui, sans-serif; color: #7a7a80;
    visibility: hidden; animation: sp-anyway 0s 0.7s forwards; }
</style>"""
_OF_ANOTHER_TEXT = ("etag", "last-modified", "accept-ranges", "content-length")


class EarlyStyle:
    """Adds the early style to Streamlit's index.html."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Only what a browser opens as a document; everything else passes through."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _asks_for_a_page(scope):
            await self._app(scope, receive, send)
            return
        plain = [one for one in scope["headers"] if one[0] != b"accept-encoding"]  # else it comes compressed
        await self._app({**scope, "headers": plain}, receive, _adding(send))


def _asks_for_a_page(scope: Scope) -> bool:
    named = scope["path"].rpartition("/")[2]
    return "." not in named and "text/html" in Headers(scope=scope).get("accept", "")  # no table that is downloaded


def _adding(send: Send) -> Send:
    """Sends a page's text with the early style at the end of its head."""
    is_page = False

    async def added(message: Message) -> None:
        nonlocal is_page
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            is_page = message["status"] == 200 and headers.get("content-type", "").startswith("text/html")
            for name in _OF_ANOTHER_TEXT if is_page else ():
                del headers[name]
        elif is_page and message["type"] == "http.response.body":
            message = {**message, "body": message["body"].replace(b"</head>", _EARLY + b"</head>", 1)}
        await send(message)

    return added
