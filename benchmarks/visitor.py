"""A visitor without a browser: speaks Streamlit's WebSocket protocol and fetches the thumbnails that a page names.

A browser's own work would share the two cores with the server it measures; ten browsers would measure themselves.
"""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

_THUMBNAIL = re.compile(rb"thumb/[0-9a-f]{12}/\d+")
_FIRST = 48  # thumbnails a window shows at once; the rest load lazily


@dataclass(frozen=True)
class View:
    """One page, as the visitor got it."""

    server_s: float  # from the request to the script's end
    loaded_s: float  # until the first thumbnails are there too
    n_thumbnails: int


class Visitor:
    """One session over one connection; a browser opens pages the same way on a click."""

    def __init__(self, address: str) -> None:
        host = urlsplit(address).netloc
        self._socket = connect(
            f"ws://{host}/_stcore/stream",
            origin=Origin(address),
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
        )
        self._http = http.client.HTTPConnection(host)

    def view(self, page: str, query: str) -> View:
        """Opens a page. Raises RuntimeError where the script failed."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        started = time.perf_counter()
        self._socket.send(message.SerializeToString())
        body = self._until_finished()
        server = time.perf_counter() - started
        names = list(dict.fromkeys(_THUMBNAIL.findall(body)))[:_FIRST]
        for name in names:
            self._fetch(name.decode())
        return View(server, time.perf_counter() - started, len(names))

    def close(self) -> None:
        """Ends the session."""
        self._socket.close()
        self._http.close()

    def _until_finished(self) -> bytes:
        body = b""
        while True:
            raw = self._socket.recv()
            assert isinstance(raw, bytes)
            body += raw
            said = ForwardMsg.FromString(raw)
            if said.WhichOneof("type") == "delta" and said.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(said.delta.new_element.exception.message)
            if said.WhichOneof("type") == "script_finished" and said.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ):
                return body

    def _fetch(self, name: str) -> None:
        try:
            answer = self._answer(name)
        except (http.client.RemoteDisconnected, BrokenPipeError):  # the server closed an idle connection, as it may
            self._http.close()
            answer = self._answer(name)
        if answer.status != 200:
            raise RuntimeError(f"{name}: {answer.status}")

    def _answer(self, name: str) -> http.client.HTTPResponse:
        self._http.request("GET", f"/{name}")
        answer = self._http.getresponse()
        answer.read()
        return answer
