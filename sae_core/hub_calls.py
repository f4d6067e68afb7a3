"""What the hub's client says while it tries again: a line or two each time, of which one is enough."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("sparsight")
_LOGGERS = ("huggingface_hub.utils._http", "huggingface_hub.file_download")
# How lines begin or go on that tell of a single try. How long a rate limit makes one wait is still said.
_CHATTER = ("thrown while requesting", "Retrying in", "Error while downloading from")


@contextmanager
def one_line_of_retries() -> Iterator[None]:
    """Around calls of the hub's client, progress bars of which stay. Outside of it the client speaks as it does."""
    chatter = _Chatter()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(chatter)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(chatter)


class _Chatter(logging.Filter):
    """Leaves the client's tries out, and says once that there are some."""

    def __init__(self) -> None:
        super().__init__()
        self._said = False

    def filter(self, record: logging.LogRecord) -> bool:
        if not any(part in record.getMessage() for part in _CHATTER):
            return True
        if not self._said:
            self._said = True
            log.info("the hub does not answer; trying again for a while")
        return False
