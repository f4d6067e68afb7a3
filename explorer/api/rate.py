"""How often a client may ask: a moving window over a minute, per address."""

from __future__ import annotations

import os
from functools import cache

from fastapi import HTTPException, Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from sae_core.errors import SparsightError

RATE_VARIABLE = "SPARSIGHT_API_RATE"
RATE = "300/minute"


def limited(request: Request) -> None:
    """Raises 429 with a Retry-After where a client asks too often.

    The address is the connection's: behind a proxy all visitors share one, so let the proxy limit there.
    """
    rate, limiter = _limiter(os.environ.get(RATE_VARIABLE, RATE))
    address = request.client.host if request.client else ""
    if not limiter.hit(rate, address):
        wait = max(1, round(rate.get_expiry() / rate.amount))
        said = f"more than {rate} from one address; try again in a while"
        raise HTTPException(429, said, headers={"Retry-After": str(wait)})


@cache
def _limiter(said: str) -> tuple[RateLimitItem, MovingWindowRateLimiter]:
    try:
        return parse(said), MovingWindowRateLimiter(MemoryStorage())
    except ValueError as error:
        raise SparsightError(f"{RATE_VARIABLE} is “{said}”; it reads like 300/minute") from error
