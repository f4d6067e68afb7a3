"""Which Host headers are answered, and the headers that every answer carries."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

ALLOWED_HOSTS_VARIABLE = "SPARSIGHT_ALLOWED_HOSTS"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


def hosts_from_environment() -> tuple[str, ...]:
    """Names in SPARSIGHT_ALLOWED_HOSTS, comma-separated: `app.example.org`, `*.example.org`, or `*` for any."""
    said = os.environ.get(ALLOWED_HOSTS_VARIABLE, "")
    return tuple(name.strip().lower() for name in said.split(",") if name.strip())


class AllowedHosts:
    """Refuses requests whose Host header names a domain that nobody allowed.

    The danger is DNS rebinding: a foreign page resolves its own domain to this machine and then reads the app as its
    own origin. That needs a dotted domain name. So localhost, IP addresses and names without a dot (a machine, a
    compose service) are always answered: an app on a laptop, and a container with a published port, work as they are.
    A public name, as behind a reverse proxy, must be listed in SPARSIGHT_ALLOWED_HOSTS. Starlette's own
    TrustedHostMiddleware takes a fixed list of names only, and no IPv6 address.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        self._app, self._hosts = app, tuple(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on, or answers 400 (a refused handshake for a WebSocket)."""
        if scope["type"] not in ("http", "websocket") or self.allows(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(code=1008)(scope, receive, send)
        else:
            said = f"This host name is not allowed; list it in {ALLOWED_HOSTS_VARIABLE} to serve the app under it.\n"
            await PlainTextResponse(said, status_code=400)(scope, receive, send)

    def allows(self, host_header: str) -> bool:
        """Whether a Host header (with or without port) is answered."""
        name = _host_name(host_header)
        return "*" in self._hosts or _is_local(name) or any(_matches(name, allowed) for allowed in self._hosts)


class SecurityHeaders:
    """Adds the content security policy and its companions to every HTTP answer."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app, self._headers = app, {**_HEADERS, "Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wraps `send` for HTTP; everything else passes through."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def content_security_policy() -> str:
    """Only our own scripts, pictures and connections; Streamlit's one inline script by its hash.

    Inline styles stay allowed: Streamlit writes them at run time. `data:` pictures are uploads and fonts of plotly;
    Streamlit's camera reads its own photograph through a `data:` address.
    """
    scripts = " ".join(["'self'", "blob:", *_inline_script_hashes()])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "connect-src 'self' data:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "frame-ancestors 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "object-src 'none'",
        ]
    )


def _inline_script_hashes() -> list[str]:
    """Read from the installed Streamlit, so that an upgrade does not leave a stale hash here."""
    spec = importlib.util.find_spec("streamlit")
    if spec is None or spec.origin is None:
        return []
    page = (Path(spec.origin).parent / "static" / "index.html").read_bytes()
    scripts = re.findall(rb"<script>(.*?)</script>", page, flags=re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts]


def _host_name(header: str) -> str:
    """`[::1]:8501` -> `::1`, `localhost:8501` -> `localhost`."""
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::\d+)?", header)
    return (bracketed.group(1) if bracketed else header.partition(":")[0]).lower().rstrip(".")


def _is_local(name: str) -> bool:
    if re.fullmatch(r"[a-z0-9_-]+|[a-z0-9-]+\.localhost", name):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _matches(name: str, allowed: str) -> bool:
    return name == allowed or (allowed.startswith("*.") and name.endswith(allowed[1:]))
