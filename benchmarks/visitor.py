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
from streamlit.proto.Common_pb2 import FileUploaderState, FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

_THUMBNAIL = re.compile(rb"thumb/[0-9a-f]{12}/\d+")
_FIRST = 48  # thumbnails a window shows at once; the rest load lazily
_BOUNDARY = "a-part-of-a-form"


@dataclass(frozen=True)
class View:
    """One page, as the visitor got it."""

    server_s: float  # from the request to the script's end
    loaded_s: float  # until the first thumbnails are there too
    n_thumbnails: int
    waited: bool = False  # whether the page said that others use the encoder


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
        self._session = ""
        self._uploader = ""
        self._shown = ""

    def view(self, page: str, query: str, uploaded: FileUploaderState | None = None) -> View:
        """Opens a page; `uploaded` is in its drop zone. Raises RuntimeError where the script failed."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        if uploaded is not None:
            widget = message.rerun_script.widget_states.widgets.add(id=self._uploader)
            widget.file_uploader_state_value.CopyFrom(uploaded)
        started = time.perf_counter()
        self._socket.send(message.SerializeToString())
        body = self._until_finished()
        self._shown = body.decode("utf-8", "replace")
        server = time.perf_counter() - started
        names = list(dict.fromkeys(_THUMBNAIL.findall(body)))[:_FIRST]
        for name in names:
            self._fetch(name.decode())
        return View(server, time.perf_counter() - started, len(names), b"sp-waiting" in body)

    def upload(self, name: str, data: bytes) -> View:
        """Gives a picture to Inspect, as a browser does. Raises RuntimeError where it is not taken."""
        urls = self._urls(name)
        self._put(urls.upload_url, name, data)
        state = FileUploaderState()
        state.uploaded_file_info.add(name=name, size=len(data), file_id=urls.file_id, file_urls=urls)
        view = self.view("inspect", "", state)
        if name not in self._shown:
            raise RuntimeError(f"{name} was not taken")
        return view

    def begin_upload(self, name: str, n_bytes: int, n_sent: int) -> http.client.HTTPConnection:
        """Sends `n_sent` of the `n_bytes` that it promises, and no more."""
        address, connection = self._urls(name).upload_url, http.client.HTTPConnection(self._http.host, self._http.port)
        connection.putrequest("PUT", address)
        for header, value in {**self._headers(), "Content-Length": str(n_bytes)}.items():
            connection.putheader(header, value)
        connection.endheaders()
        connection.send(_head(name) + bytes(n_sent))
        return connection

    def _urls(self, name: str) -> FileURLs:
        self.view("inspect", "")
        message = BackMsg()
        message.file_urls_request.request_id = name
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._session
        self._socket.send(message.SerializeToString())
        urls: FileURLs = self._until("file_urls_response").file_urls_response.file_urls[0]
        return urls

    def _put(self, address: str, name: str, data: bytes) -> None:
        body = _head(name) + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
        headers = self._headers()
        self._http.close()
        self._http.request("PUT", address, body, headers)
        answer = self._http.getresponse()
        answer.read()
        if answer.status != 204:
            raise RuntimeError(f"{address}: {answer.status}")

    def _headers(self) -> dict[str, str]:
        token = self._token()
        return {
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
            "Cookie": f"_streamlit_xsrf={token}",
            "X-Xsrftoken": token,
        }

    def _token(self) -> str:
        self._http.close()
        self._http.request("GET", "/_stcore/health")
        answer = self._http.getresponse()
        answer.read()
        found = re.search("_streamlit_xsrf=([^;]+)", answer.getheader("Set-Cookie", ""))
        return found[1] if found else ""

    def _until(self, kind: str) -> ForwardMsg:
        while True:
            raw = self._socket.recv()
            assert isinstance(raw, bytes)
            said: ForwardMsg = ForwardMsg.FromString(raw)
            if said.WhichOneof("type") == kind:
                return said

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
            if said.WhichOneof("type") == "new_session":
                self._session = said.new_session.initialize.session_id
            if said.delta.new_element.WhichOneof("type") == "file_uploader":
                self._uploader = said.delta.new_element.file_uploader.id
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


def _head(name: str) -> bytes:
    return f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
