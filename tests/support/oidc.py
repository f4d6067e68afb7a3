"""A local OpenID Connect provider that lets everybody in under the name it is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.serving import serving

CLIENT, SECRET = "sparsight", "a client's secret"


@dataclass
class Provider:
    """Who logs in next, and what is known of them."""

    email: str = "ada@example.org"
    verified: bool = True
    address: str = ""
    nonces: dict[str, str] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))

    async def configuration(self, _request: Request) -> Response:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        said = {name: f"{self.address}/{path}" for name, path in places.items()}
        return JSONResponse({"issuer": self.address, **said, "id_token_signing_alg_values_supported": ["RS256"]})

    async def authorize(self, request: Request) -> Response:
        asked = request.query_params
        code = str(len(self.nonces))
        self.nonces[code] = asked["nonce"]
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def token(self, request: Request) -> Response:
        form = await request.form()
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT, "sub": self.email, "iat": now, "exp": now + 300}
        claims |= {"nonce": self.nonces[str(form["code"])], "email": self.email, "email_verified": self.verified}
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    async def keys(self, _request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))


@contextmanager
def provider() -> Iterator[Provider]:
    """Serves on a free port."""
    provider = Provider()
    routes = [
        Route("/.well-known/openid-configuration", provider.configuration),
        Route("/authorize", provider.authorize),
        Route("/token", provider.token, methods=["POST"]),
        Route("/keys", provider.keys),
    ]
    with serving(Starlette(routes=routes)) as address:
        provider.address = address
        yield provider
